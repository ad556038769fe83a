// PyTorch's profiler: Chrome's trace events with Kineto's categories and args.
// Source of the format: PyTorch's own traces (tried with 2.15 on CPU) and Kineto's
// output_json.cpp for accelerators. What becomes what: docs/design/import-formats.md.
#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/kineto_events.h"

namespace tachostat::trace {
namespace {

bool recognises(std::string_view start, std::string_view) {
  for (const std::string_view word : {"\"schemaVersion\"", "\"deviceProperties\"",
                                      "\"baseTimeNanoseconds\"", "\"cpu_op\"", "\"ProfilerStep#"}) {
    if (start.find(word) != std::string_view::npos) return true;
  }
  return false;
}

absl::StatusOr<Import> read(Input& input) {
  JsonEvents json(input);
  KinetoReader reader;
  TS_RETURN_IF_ERROR(json.each([&](const JsonEvent& event) { reader.add(event); }));
  KinetoEvents events = reader.take();
  events.timeline.left_out += json.invalid();
  Import import = kineto_layers(std::move(events));
  import.tool = "pytorch";
  if (import.layers.empty()) {
    import.notes.emplace_back("no operator and no kernel in it: was anything run while recording?");
  }
  return import;
}

}  // namespace

extern const Importer kKineto;
const Importer kKineto = {"kineto", "PyTorch's profiler, export_chrome_trace(): .json or .json.gz",
                          recognises, read};

}  // namespace tachostat::trace

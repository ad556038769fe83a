// One importer, FUZZ_FORMAT, on any bytes: an error, or an import that holds together.
#include "fuzz.h"

#include <cmath>
#include <string>

#include "trace/formats/formats.h"

namespace {

using namespace tachostat::trace;

const Importer* importer() {
  for (const Importer* each : importers()) {
    if (each->name == FUZZ_FORMAT) return each;
  }
  return nullptr;
}

void check_number(double number) {
  FUZZ_REQUIRE(std::isfinite(number) && (number >= 0 || number == -1));
}

void check(const Import& import) {
  for (const LayerRow& row : import.layers) {
    FUZZ_REQUIRE(row.count == 0 || row.mean_ns >= 0);
    for (const double number :
         {row.mean_ns, row.min_ns, row.median_ns, row.max_ns, row.flops, row.bytes}) {
      check_number(number);
    }
    for (const auto& [name, value] : row.metrics) FUZZ_REQUIRE(std::isfinite(value));
  }
  check_number(import.request_mean_ns);
  for (const Span& span : import.trace.spans) {
    FUZZ_REQUIRE(span.name < import.trace.names.size());
    FUZZ_REQUIRE(span.begin_ns <= span.end_ns);
  }
  for (const Flow& flow : import.trace.flows) {
    FUZZ_REQUIRE(flow.from < import.trace.spans.size());
    FUZZ_REQUIRE(flow.to < import.trace.spans.size());
  }
  for (const CounterTrack& counter : import.trace.counters) {
    std::uint64_t last = 0;
    for (const auto& [at, value] : counter.points) {
      FUZZ_REQUIRE(at >= last && std::isfinite(value));
      last = at;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Importer* const kImporter = importer();
  FUZZ_REQUIRE(kImporter != nullptr);
  // Packed bytes are the target "input"'s; here they would only hide the format's.
  if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b) return -1;
  auto input = Input::of(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  FUZZ_REQUIRE(input.ok());
  kImporter->recognises(input->start(), "fuzz");
  const auto import = import_from(*input, FUZZ_FORMAT);
  if (import.ok()) check(*import);
  return 0;
}

// Our own trace file, as `tachostat profile --format chrome` and the server write it.
#include <sstream>

#include "base/status.h"
#include "trace/formats/chrome.h"
#include "trace/formats/formats.h"

namespace tachostat::trace {
namespace {

bool recognises(std::string_view start, std::string_view) {
  return start.substr(0, 512).find("\"tachostat_format\"") != std::string_view::npos;
}

absl::StatusOr<Import> read(Input& input) {
  TS_ASSIGN_OR_RETURN(std::string text, input.all());
  std::istringstream in(std::move(text));
  auto trace = read_chrome(in);
  if (!trace.ok()) return base::with_context(trace.status(), input.name());
  return Import{.tool = "tachostat", .trace = *std::move(trace)};
}

}  // namespace

extern const Importer kTachostatTrace;
const Importer kTachostatTrace = {"tachostat", "our own trace, profile --format chrome", recognises,
                                  read};

}  // namespace tachostat::trace

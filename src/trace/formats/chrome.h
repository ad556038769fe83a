// Chrome's trace events as JSON, which chrome://tracing and Perfetto's UI open. What we add is
// described in docs/design/trace-format.md.
#pragma once

#include <iosfwd>

#include "absl/status/statusor.h"
#include "trace/trace.h"

namespace tachostat::trace {

// Events come in order of time, outer spans before inner ones, so equal traces give equal bytes.
// Names that are not UTF-8 have their bad bytes replaced. The caller checks the stream.
void write_chrome(const Trace& trace, std::ostream& out);

// Reads what write_chrome() writes, exact to the nanosecond; names are numbered anew. Members and
// metadata events that it does not know are skipped. InvalidArgument names the event and the member
// that is missing or wrong.
absl::StatusOr<Trace> read_chrome(std::istream& in);

}  // namespace tachostat::trace

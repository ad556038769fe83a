// speedscope's own JSON, by the schema in its package (file-format-schema.json).
#pragma once

#include <iosfwd>
#include <string_view>

#include "trace/stacks.h"
#include "trace/trace.h"

namespace tachostat::trace {

// A profile of opened and closed frames per thread, in nanoseconds since the trace's first span.
void write_speedscope(const Trace& trace, std::string_view title, std::ostream& out);
// One profile of weighted stacks, for when there is no timeline. Callers check the stream.
void write_speedscope(const Stacks& stacks, std::string_view title, std::ostream& out);

}  // namespace tachostat::trace

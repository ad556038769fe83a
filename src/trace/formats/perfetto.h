// Perfetto's protobuf trace, which ui.perfetto.dev and trace_processor open.
#pragma once

#include <iosfwd>

#include "trace/trace.h"

namespace tachostat::trace {

// One process with a track per thread and per counter. Spans are slices with their kind as
// category, nested as nest() says; a request carries the session and the shapes of the mark around
// it. Flows are the trace's own and those of links(). The caller checks the stream.
void write_perfetto(const Trace& trace, std::ostream& out);

}  // namespace tachostat::trace

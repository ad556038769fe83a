// Which work made which, told from the times: arrows for viewers.
#pragma once

#include <vector>

#include "trace/nesting.h"
#include "trace/trace.h"

namespace tachostat::trace {

// From each request to the layers directly inside it, on its thread; and from each such layer to
// the work on other threads (worker bodies, and primitives inside nothing) that begins while it
// runs, if it is the only layer that runs then. `nested` is nest(trace).
std::vector<Flow> links(const Trace& trace, const std::vector<Nested>& nested);

}  // namespace tachostat::trace

// Collapsed stacks: "outer;inner 12345" a line, which flamegraph.pl, inferno and speedscope open.
#pragma once

#include <iosfwd>

#include "trace/stacks.h"

namespace tachostat::trace {

// The number is the time in nanoseconds inside no deeper frame; stacks without any are left out.
// In names, ";" becomes ":" and control characters become spaces. The caller checks the stream.
void write_collapsed(const Stacks& stacks, std::ostream& out);

}  // namespace tachostat::trace

// Spans folded into stacks, which is what flame graphs and pprof draw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trace/trace.h"

namespace tachostat::trace {

// Time that was spent with exactly these frames open, outermost first, and not in anything deeper.
struct Stack {
  std::vector<std::string> frames = {};
  std::uint64_t self_ns = 0;
  std::uint64_t count = 0;  // spans that are its innermost frame
};

// One per distinct stack, in order of first appearance. The outermost frame is the thread's name,
// unless `by_thread` is false, which adds threads up. Nesting follows the times of a thread's spans
// (Span::depth breaks ties); spans that overlap without nesting are cut at the outer one's end.
std::vector<Stack> fold(const Trace& trace, bool by_thread = true);

}  // namespace tachostat::trace

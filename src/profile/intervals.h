// Spans of a trace as intervals in time, sorted so that threads can be walked side by side.
#pragma once

#include <cstdint>
#include <vector>

#include "trace/trace.h"

namespace tachostat::profile {

// Something that takes time on a thread. `index` says what, to whoever made it.
struct Interval {
  std::uint32_t thread = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t index = 0;
};

// Ends no earlier than it begins, and within a day: beyond that a clock is broken.
bool is_sane(std::uint64_t begin, std::uint64_t end);

// By thread and begin; of those that begin together, the longest (outermost) first.
void sort(std::vector<Interval>& intervals);

// The sane spans of that kind whose name is in the trace, sorted; index: into Trace::spans.
std::vector<Interval> spans_of(const trace::Trace& trace, trace::Kind kind);

// Cuts off what an earlier interval of the same thread covers already; drops what is left empty.
void make_disjoint(std::vector<Interval>& sorted);

}  // namespace tachostat::profile

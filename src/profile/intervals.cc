#include "profile/intervals.h"

#include <algorithm>
#include <tuple>

namespace tachostat::profile {

bool is_sane(std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kDay = 86'400'000'000'000;
  return begin <= end && end - begin <= kDay;
}

void sort(std::vector<Interval>& intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) {
    return std::tie(a.thread, a.begin, b.end, a.index) <
           std::tie(b.thread, b.begin, a.end, b.index);
  });
}

std::vector<Interval> spans_of(const trace::Trace& trace, trace::Kind kind) {
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < trace.spans.size(); ++i) {
    const trace::Span& span = trace.spans[i];
    if (span.kind != kind || span.name >= trace.names.size()) continue;
    if (!is_sane(span.begin_ns, span.end_ns)) continue;
    intervals.push_back({span.thread, span.begin_ns, span.end_ns, static_cast<std::uint32_t>(i)});
  }
  sort(intervals);
  return intervals;
}

void make_disjoint(std::vector<Interval>& sorted) {
  std::vector<Interval> kept;
  for (Interval interval : sorted) {
    if (!kept.empty() && kept.back().thread == interval.thread) {
      interval.begin = std::max(interval.begin, kept.back().end);
    }
    if (interval.begin < interval.end) kept.push_back(interval);
  }
  sorted = std::move(kept);
}

}  // namespace tachostat::profile

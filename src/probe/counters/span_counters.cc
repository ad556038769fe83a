#include "probe/counters/span_counters.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace tachostat::probe {

std::vector<SpanCounters> join(const trace::Trace& trace, std::span<const CounterRecord> records) {
  const auto key = [](const auto& of) { return std::tuple(of.thread, of.begin_ns, of.depth); };
  std::vector<std::uint32_t> order(trace.spans.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return key(trace.spans[a]) < key(trace.spans[b]);
  });
  std::vector<SpanCounters> joined;
  for (const CounterRecord& record : records) {
    const auto at = std::lower_bound(order.begin(), order.end(), record,
                                     [&](std::uint32_t span, const CounterRecord& r) {
                                       return key(trace.spans[span]) < key(r);
                                     });
    if (at == order.end() || key(trace.spans[*at]) != key(record)) continue;
    joined.push_back({*at, record.difference});
  }
  std::sort(joined.begin(), joined.end(),
            [](const SpanCounters& a, const SpanCounters& b) { return a.span < b.span; });
  return joined;
}

std::vector<NamedCounters> sum_by_name(const trace::Trace& trace,
                                       std::span<const SpanCounters> counters, trace::Kind kind) {
  std::map<std::uint32_t, NamedCounters> sums;
  for (const SpanCounters& of : counters) {
    const trace::Span& span = trace.spans[of.span];
    if (span.kind != kind) continue;
    NamedCounters& sum = sums[span.name];
    sum.name = span.name;
    ++sum.spans;
    sum.sum.add(of.difference);
  }
  std::vector<NamedCounters> named;
  named.reserve(sums.size());
  for (const auto& [name, sum] : sums) named.push_back(sum);
  return named;
}

}  // namespace tachostat::probe

// From threads' counter differences to spans, and from spans to layers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "probe/counters/counter_group.h"
#include "trace/trace.h"

namespace tachostat::probe {

// What a collector keeps beside a span, in a ring of its own: which span, and what it counted.
struct CounterRecord {
  std::uint64_t begin_ns = 0;
  std::uint32_t thread = 0;
  std::uint32_t depth = 0;
  CounterSample difference;
};

struct SpanCounters {
  std::uint32_t span = 0;  // index into Trace::spans
  CounterSample difference;
};

// Finds each record's span by thread, begin and depth. Records whose span is not in the trace (it
// was dropped, or the request was not looked at from end to end) are left out. In order of spans.
std::vector<SpanCounters> join(const trace::Trace& trace, std::span<const CounterRecord> records);

struct NamedCounters {
  std::uint32_t name = 0;   // index into Trace::names
  std::uint64_t spans = 0;  // counted ones
  CounterSample sum;        // read by CounterGroup::value() and mean()
};

// Sums over the spans of one kind by name: for kLayer, what each layer cost on the thread that ran
// it. Work of worker threads lies in their own spans of kWorker. In order of names.
std::vector<NamedCounters> sum_by_name(const trace::Trace& trace,
                                       std::span<const SpanCounters> counters, trace::Kind kind);

}  // namespace tachostat::probe

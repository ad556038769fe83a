// What a span cost its thread in events: a reading at its begin, one at its end.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "base/clock.h"
#include "probe/counters/counter_group.h"

namespace tachostat::probe {

// Belongs to the thread that makes it; every call must come from there. After construction nothing
// allocates, and nothing fails but by saying false: fit for the inside of a collector.
class ThreadCounters {
 public:
  static constexpr std::size_t kDeepest = 64;

  ThreadCounters(PerfSystem& perf, std::span<const CounterEvent> events,
                 const CounterGroup::Options& options = {});

  // Why nothing is counted, or OK.
  const absl::Status& status() const { return status_; }
  // Null when nothing is counted. Its value() reads the differences; it says the same for every
  // thread of a process that asked for the same events.
  const CounterGroup* group() const { return group_.get(); }

  // A span begins. Spans nest; those deeper than kDeepest are not counted.
  void begin() noexcept;
  // The innermost span ends. What it counted, spans inside it included, in `difference`; false when
  // it was not counted, or ends without having begun.
  bool end(CounterSample& difference) noexcept;
  // Forgets spans that never ended, as the collector does when its switch moves.
  void clear() noexcept { depth_ = 0; }

  // The median of a few readings by `clock`; what a span pays is two of them.
  double nanoseconds_per_read(const base::Clock& clock);

 private:
  struct Open {
    CounterSample at;
    bool is_good = false;
  };
  absl::Status status_;
  std::unique_ptr<CounterGroup> group_;
  std::unique_ptr<std::array<Open, kDeepest>> open_;
  std::size_t depth_ = 0;
};

}  // namespace tachostat::probe

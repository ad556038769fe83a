// What the layers' spans of this process count, while somebody wants to know: every thread that
// runs a layer gets counters of its own, read at the layer's begin and end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "probe/counters/span_counters.h"
#include "probe/counters/thread_counters.h"
#include "trace/trace.h"

namespace tachostat::probe {

class SpanCounterLog {
 public:
  // Records kept of one thread until somebody drains them; later ones are counted as lost.
  static constexpr std::size_t kMostPerThread = 4096;

  // Events that the machine has of those named; a thread opens them when its first layer begins.
  SpanCounterLog(PerfSystem& perf, std::vector<CounterEvent> events, std::string paranoid);
  // No span may begin or end any more.
  ~SpanCounterLog();

  // Unavailable with the reason when nothing can be counted; asked of the calling thread, once.
  const absl::Status& available() const { return available_; }

  // Thread-safe; called by the thread that runs the span. `epoch` changes whenever the switch
  // moves: what began in another one is forgotten. `span` is complete but for its name.
  void begin(std::uint64_t epoch) noexcept;
  void end(std::uint64_t epoch, const trace::Span& span) noexcept;

  // Moves what was counted into `out`. One caller at a time.
  void drain(std::vector<CounterRecord>& out);
  std::uint64_t counted() const { return counted_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
  // Both readings of a span, in nanoseconds; measured once, on the thread that made the log.
  double nanoseconds_per_span() const { return nanoseconds_per_span_; }

  // A sum of `count` records as the mean of each event, by name, in its unit; events that never had
  // a turn are left out.
  std::vector<std::pair<std::string, double>> means(const CounterSample& sum,
                                                    std::uint64_t count) const;

 private:
  struct PerThread;
  PerThread* of_this_thread() noexcept;

  PerfSystem& perf_;
  const std::vector<CounterEvent> events_;
  const std::string paranoid_;
  const std::uint64_t number_;  // among all logs, so that a thread knows its own
  absl::Status available_;
  double nanoseconds_per_span_ = 0;
  std::unique_ptr<ThreadCounters> own_;  // for names and units
  std::atomic<std::uint64_t> counted_{0};
  std::atomic<std::uint64_t> lost_{0};
  base::Mutex mutex_;
  std::vector<std::shared_ptr<PerThread>> threads_ TS_GUARDED_BY(mutex_);
};

// The process's own, with the machine's standard events. Made at the first call.
SpanCounterLog& span_counter_log();

}  // namespace tachostat::probe

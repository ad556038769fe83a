#include "probe/counters/span_counter_log.h"

#include <cmath>
#include <fstream>
#include <optional>

#include "base/clock.h"
#include "base/status.h"

namespace tachostat::probe {
namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::string machine_paranoid() {
  std::ifstream file("/proc/sys/kernel/perf_event_paranoid");
  std::string word;
  file >> word;
  return word;
}

}  // namespace

struct SpanCounterLog::PerThread {
  PerThread(PerfSystem& perf, const std::vector<CounterEvent>& events,
            const CounterGroup::Options& options)
      : counters(std::in_place, perf, events, options) {
    records.reserve(kMostPerThread);
  }

  std::optional<ThreadCounters> counters;  // its thread's alone; gone with the log
  std::uint64_t epoch = 0;
  base::Mutex mutex;
  std::vector<CounterRecord> records TS_GUARDED_BY(mutex);
};

SpanCounterLog::SpanCounterLog(PerfSystem& perf, std::vector<CounterEvent> events,
                               std::string paranoid)
    : perf_(perf),
      events_(std::move(events)),
      paranoid_(std::move(paranoid)),
      number_(next_number()) {
  if (events_.empty()) {
    available_ = base::unavailable("this machine counts none of the events that are asked for");
    return;
  }
  own_ = std::make_unique<ThreadCounters>(perf_, events_,
                                          CounterGroup::Options{.paranoid = paranoid_});
  available_ = own_->status();
  if (available_.ok()) {
    nanoseconds_per_span_ = 2 * own_->nanoseconds_per_read(base::SystemClock());
  }
}

// Threads may live on; their counters close now.
SpanCounterLog::~SpanCounterLog() {
  base::MutexLock lock(mutex_);
  for (const std::shared_ptr<PerThread>& one : threads_) one->counters.reset();
}

// The only place that allocates: a thread's first layer after the switch went on.
SpanCounterLog::PerThread* SpanCounterLog::of_this_thread() noexcept {
  struct Mine {
    std::uint64_t owner = 0;
    std::shared_ptr<PerThread> log;
    void close() {
      if (log != nullptr) log->counters.reset();
      log.reset();
    }
    ~Mine() { close(); }
  };
  thread_local Mine t_mine;
  if (t_mine.owner == number_) return t_mine.log.get();
  try {
    t_mine.close();
    t_mine.log =
        std::make_shared<PerThread>(perf_, events_, CounterGroup::Options{.paranoid = paranoid_});
    t_mine.owner = number_;
    base::MutexLock lock(mutex_);
    // Those of threads that have ended, once they are drained.
    std::erase_if(threads_, [](const std::shared_ptr<PerThread>& one) {
      base::MutexLock records_lock(one->mutex);
      return one.use_count() == 1 && one->records.empty();
    });
    threads_.push_back(t_mine.log);
  } catch (...) {
    t_mine.log.reset();
  }
  return t_mine.log.get();
}

void SpanCounterLog::begin(std::uint64_t epoch) noexcept {
  PerThread* const mine = of_this_thread();
  if (mine == nullptr) return;
  if (mine->epoch != epoch) {
    mine->counters->clear();
    mine->epoch = epoch;
  }
  mine->counters->begin();
}

void SpanCounterLog::end(std::uint64_t epoch, const trace::Span& span) noexcept {
  PerThread* const mine = of_this_thread();
  if (mine == nullptr || mine->epoch != epoch) return;
  CounterRecord record{
      .begin_ns = span.begin_ns, .thread = span.thread, .depth = span.depth, .difference = {}};
  counted_.fetch_add(1, std::memory_order_relaxed);
  if (!mine->counters->end(record.difference)) return;
  base::MutexLock lock(mine->mutex);
  if (mine->records.size() < kMostPerThread) {
    mine->records.push_back(record);
  } else {
    lost_.fetch_add(1, std::memory_order_relaxed);
  }
}

void SpanCounterLog::drain(std::vector<CounterRecord>& out) {
  base::MutexLock lock(mutex_);
  for (const std::shared_ptr<PerThread>& one : threads_) {
    base::MutexLock records_lock(one->mutex);
    out.insert(out.end(), one->records.begin(), one->records.end());
    one->records.clear();
  }
}

std::vector<std::pair<std::string, double>> SpanCounterLog::means(const CounterSample& sum,
                                                                  std::uint64_t count) const {
  std::vector<std::pair<std::string, double>> means;
  if (own_ == nullptr || own_->group() == nullptr) return means;
  const CounterGroup& group = *own_->group();
  for (std::size_t i = 0; i < group.events().size(); ++i) {
    const double mean = group.mean(sum, i, count);
    if (std::isfinite(mean)) means.emplace_back(group.events()[i].name, mean);
  }
  return means;
}

SpanCounterLog& span_counter_log() {
  // Never destroyed: threads of engines outlive static objects.
  static auto* const log =
      new SpanCounterLog(system_perf(), find_events(standard_events()).events, machine_paranoid());
  return *log;
}

}  // namespace tachostat::probe

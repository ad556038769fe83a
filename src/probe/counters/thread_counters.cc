#include "probe/counters/thread_counters.h"

#include <algorithm>

namespace tachostat::probe {

ThreadCounters::ThreadCounters(PerfSystem& perf, std::span<const CounterEvent> events,
                               const CounterGroup::Options& options) {
  absl::StatusOr<std::unique_ptr<CounterGroup>> group = CounterGroup::Create(perf, events, options);
  if (!group.ok()) {
    status_ = group.status();
    return;
  }
  group_ = *std::move(group);
  open_ = std::make_unique<std::array<Open, kDeepest>>();
}

void ThreadCounters::begin() noexcept {
  if (group_ == nullptr) return;
  if (depth_ < kDeepest) {
    Open& open = (*open_)[depth_];
    open.is_good = group_->read(open.at);
  }
  ++depth_;
}

bool ThreadCounters::end(CounterSample& difference) noexcept {
  if (depth_ == 0) return false;
  --depth_;
  if (depth_ >= kDeepest) return false;
  const Open& open = (*open_)[depth_];
  CounterSample now;
  if (!open.is_good || !group_->read(now)) return false;
  difference = group_->difference(open.at, now);
  return true;
}

double ThreadCounters::nanoseconds_per_read(const base::Clock& clock) {
  if (group_ == nullptr) return 0;
  constexpr std::size_t kReads = 33;
  std::array<double, kReads> costs{};
  CounterSample sample;
  for (double& cost : costs) {
    const base::Time begin = clock.now();
    group_->read(sample);
    cost = static_cast<double>((clock.now() - begin).count());
  }
  std::nth_element(costs.begin(), costs.begin() + kReads / 2, costs.end());
  return costs[kReads / 2];
}

}  // namespace tachostat::probe

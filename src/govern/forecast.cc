#include "govern/forecast.h"

#include <algorithm>

namespace tachostat::govern {
namespace {

constexpr double kLevel = 0.5;  // weight of the newest window
constexpr double kTrend = 0.3;
constexpr double kSlowness = 0.5;
constexpr double kNoise = 1.1;  // less than that is noise of the proof

}  // namespace

void Forecast::add(const Observation& seen, const verify::Point& serving) {
  last_ = load_of(seen);
  const double rate = last_.arrival_rate;
  if (!started_) {
    started_ = true;
    level_ = rate;
  } else {
    const double before = level_;
    level_ = kLevel * rate + (1 - kLevel) * (level_ + trend_);
    trend_ = kTrend * (level_ - before) + (1 - kTrend) * trend_;
  }
  rates_.push_back(rate);
  if (rates_.size() > kRecent) rates_.pop_front();

  const double times = slowness_of(seen, serving);
  if (times <= 0) return;
  const double now = times < kNoise ? 1.0 : times;
  // Of batches whose size says nothing, only that they take long is evidence.
  if (serving.variant.batch > 1 && serving.single_ms <= 0 && now < slowness_) return;
  slowness_ += kSlowness * (now - slowness_);
}

Load Forecast::load() const {
  Load load = last_;
  const double highest = rates_.empty() ? 0 : *std::max_element(rates_.begin(), rates_.end());
  load.arrival_rate = std::max({0.0, level_ + trend_, highest});
  return load;
}

}  // namespace tachostat::govern

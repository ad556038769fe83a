#include "govern/observed_traffic.h"

#include <algorithm>

namespace tachostat::govern {
namespace {

std::uint64_t nanoseconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
}

}  // namespace

void ObservedTraffic::answered(std::string_view variant, base::Duration latency,
                               base::Duration service, int batch) {
  ++piece_.answered;
  piece_.latency.record(nanoseconds(latency));
  piece_.service.record(nanoseconds(service));
  latency_seconds_ += base::to_seconds(latency);
  batches_ += batch;
  const auto known = std::find_if(variants_.begin(), variants_.end(),
                                  [&](const auto& entry) { return entry.first == variant; });
  if (known == variants_.end()) {
    variants_.emplace_back(std::string(variant), 1);
  } else {
    ++known->second;
  }
}

Observation ObservedTraffic::take(base::Time now, Totals totals) {
  Observation done = std::move(piece_);
  done.end = now;
  done.arrivals = totals.arrivals - before_.arrivals;
  done.refused = totals.refused - before_.refused;
  done.hung = totals.hung - before_.hung;
  if (done.end > done.begin) done.mean_in_flight = latency_seconds_ / done.seconds();
  if (done.answered > 0) done.mean_batch = batches_ / static_cast<double>(done.answered);
  const auto most =
      std::max_element(variants_.begin(), variants_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != variants_.end()) done.variant = most->first;
  before_ = totals;
  piece_ = Observation();
  piece_.begin = now;
  latency_seconds_ = 0;
  batches_ = 0;
  variants_.clear();
  return done;
}

}  // namespace tachostat::govern

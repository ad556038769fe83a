#include "simulate/service.h"

#include <algorithm>
#include <cmath>

namespace tachostat::simulate {
namespace {

constexpr std::size_t kQuantiles = 1000;

}  // namespace

base::Duration median_service(const Service& service, std::int64_t batch) {
  const auto count = static_cast<std::int64_t>(service.by_batch.size());
  const std::int64_t known = std::clamp<std::int64_t>(batch, 1, count);
  const base::Duration at = service.by_batch[static_cast<std::size_t>(known - 1)];
  if (batch <= count) return at;
  // One number alone: nothing is saved by batching.
  const base::Duration before =
      count > 1 ? service.by_batch[static_cast<std::size_t>(count - 2)] : base::Duration(0);
  return at + (at - before) * (batch - count);
}

double mean_factor(const Service& service) {
  if (service.measured.count() == 0) return std::exp(service.noise * service.noise / 2);
  const auto median = static_cast<double>(service.measured.quantile(0.5));
  return median > 0 ? service.measured.mean() / median : 1;
}

ServiceTimes::ServiceTimes(const Service& service) : service_(service) {
  const auto median = static_cast<double>(service.measured.quantile(0.5));
  if (median <= 0) return;
  measured_.reserve(kQuantiles);
  for (std::size_t i = 0; i < kQuantiles; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / kQuantiles;
    measured_.push_back(static_cast<double>(service.measured.quantile(share)) / median);
  }
}

double ServiceTimes::draw(std::int64_t batch, Random& random) const {
  const double median = base::to_seconds(median_service(service_, batch));
  if (!measured_.empty()) return median * measured_[random.below(measured_.size())];
  return median * std::exp(service_.noise * random.normal());
}

}  // namespace tachostat::simulate

#include "govern/scaling.h"

#include <algorithm>
#include <cmath>

#include "govern/predict.h"

namespace tachostat::govern {
namespace {

constexpr double kFullUtilisation = 0.9;  // where no target says what is too much
constexpr int kHalvings = 40;             // of an interval: far below any rounding

}  // namespace

double sustainable_rate(const verify::Point& point, const Targets& targets, double service_tail,
                        double slowness) {
  if (point.capacity <= 0 || point.service_ms <= 0 || slowness <= 0) return 0;
  const verify::Point now = slowed(point, slowness);
  if (!targets.p99) return kFullUtilisation * now.capacity;
  const double target_ms = base::to_milliseconds(*targets.p99);
  const auto holds = [&](double rate) {
    const Load load{.arrival_rate = rate, .service_tail = service_tail};
    return predict(now, load).p99_ms <= target_ms;
  };
  double low = 0, high = now.capacity;
  if (!holds(low)) return 0;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? low : high) = middle;
  }
  return low;
}

std::optional<Scaling> scaling_of(const Observation& seen, const verify::Frontier& frontier,
                                  const Targets& targets, const std::string& serving) {
  const Load load = load_of(seen);
  const verify::Point* current = frontier.find(serving);
  const double slowness = current == nullptr ? 1 : std::max(1.0, slowness_of(seen, *current));
  double most = 0;
  bool measured = false;
  for (const verify::Point& point : frontier.points()) {
    if (point.drop_bound > targets.max_drop && point.variant.id() != serving) continue;
    measured = measured || point.capacity > 0;
    most = std::max(most, sustainable_rate(point, targets, load.service_tail, slowness));
  }
  if (!measured) return std::nullopt;
  Scaling scaling{.capacity = most, .load = load.arrival_rate};
  if (most <= 0) return scaling;  // no number of such servers would hold the target
  scaling.headroom = 1 - load.arrival_rate / most;
  scaling.desired_replicas =
      std::max(1, static_cast<int>(std::ceil(load.arrival_rate / (most * (1 - kReserve)))));
  return scaling;
}

}  // namespace tachostat::govern

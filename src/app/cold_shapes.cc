#include "app/cold_shapes.h"

#include <algorithm>

namespace tachostat::app {

void ColdShapes::inferred(const engine::Execution& execution) {
  if (execution.failed) return;
  const double seconds = base::to_seconds(execution.end - execution.begin);
  base::MutexLock lock(mutex_);
  Shapes& shapes = sessions_[execution.session];
  const auto known = shapes.find(execution.bucket);
  if (known != shapes.end()) {
    known->second.later_s += seconds;
    ++known->second.later;
  } else if (shapes.size() < kMostShapes) {
    shapes[std::string(execution.bucket)].first_s = seconds;
  }
}

void ColdShapes::forget(std::uint64_t session) {
  base::MutexLock lock(mutex_);
  sessions_.erase(session);
}

ColdShapes::Cost ColdShapes::cost(std::uint64_t session) const {
  Cost cost;
  base::MutexLock lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return cost;
  double all = 0;
  double first = 0;
  double usual = 0;
  double beyond = 0;
  for (const auto& [bucket, shape] : found->second) {
    all += shape.first_s + shape.later_s;
    cost.requests += 1 + shape.later;
    if (shape.later < kKnown) continue;
    const double mean = shape.later_s / static_cast<double>(shape.later);
    ++cost.shapes;
    first += shape.first_s;
    usual += mean;
    beyond += std::max(0.0, shape.first_s - mean);
  }
  if (all > 0) cost.share = beyond / all;
  if (usual > 0) cost.factor = first / usual;
  return cost;
}

}  // namespace tachostat::app

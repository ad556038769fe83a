#include <algorithm>
#include <cmath>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

// Differences below these are noise of measuring.
constexpr double kShare = 0.01;  // of service time and capacity
constexpr double kDrop = 0.0005;

bool dominates(const Point& one, const Point& other) {
  const bool no_worse = one.service_ms <= other.service_ms * (1 + kShare) &&
                        one.capacity >= other.capacity * (1 - kShare) &&
                        one.drop_bound <= other.drop_bound + kDrop;
  const bool better = one.service_ms < other.service_ms * (1 - kShare) ||
                      one.capacity > other.capacity * (1 + kShare) ||
                      one.drop_bound < other.drop_bound - kDrop;
  return no_worse && better;
}

bool is_finite(const Point& point) {
  return std::isfinite(point.service_ms) && std::isfinite(point.capacity) &&
         std::isfinite(point.drop_bound);
}

}  // namespace

void Frontier::add(Point point) {
  if (!is_finite(point)) return;
  const std::string id = point.variant.id();
  std::erase_if(points_, [&](const Point& old) { return old.variant.id() == id; });
  const bool dominated = std::any_of(points_.begin(), points_.end(),
                                     [&](const Point& old) { return dominates(old, point); });
  if (dominated && id != fallback_) return;
  std::erase_if(points_, [&](const Point& old) {
    return dominates(point, old) && old.variant.id() != fallback_;
  });
  const auto place =
      std::upper_bound(points_.begin(), points_.end(), point,
                       [](const Point& a, const Point& b) { return a.capacity < b.capacity; });
  points_.insert(place, std::move(point));
}

const Point* Frontier::find(std::string_view variant) const {
  const auto found = std::find_if(points_.begin(), points_.end(), [&](const Point& point) {
    return point.variant.id() == variant;
  });
  return found == points_.end() ? nullptr : &*found;
}

}  // namespace tachostat::verify

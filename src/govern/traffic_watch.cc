#include "govern/traffic_watch.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/status.h"
#include "govern/windows.h"

namespace tachostat::govern {
namespace {

// Below half a request in flight the server is idle most of the time: all the same to it.
constexpr double kIdle = 0.5;

}  // namespace

double shape_distance(const TrafficWatch::Shapes& a, const TrafficWatch::Shapes& b) {
  if (a.empty() || b.empty()) return 0;  // not known
  std::map<model::InputShapes, double> difference;
  for (const auto& [shapes, share] : a) difference[shapes] += share;
  for (const auto& [shapes, share] : b) difference[shapes] -= share;
  double sum = 0;
  for (const auto& [shapes, share] : difference) sum += std::abs(share);
  return sum / 2;
}

void TrafficWatch::reset() { *this = TrafficWatch(); }

void TrafficWatch::reset(Observation normal, Shapes shapes) {
  normal_windows_ = kWindows;
  normal_ = std::move(normal);
  normal_shapes_ = std::move(shapes);
  changed_ = 0;
}

std::optional<std::string> TrafficWatch::add(const Observation& window, const Shapes& shapes) {
  if (window.answered == 0) return std::nullopt;  // a pause is no other traffic
  if (normal_windows_ < kWindows) {
    merge(normal_, window);
    normal_shapes_ = shapes;
    ++normal_windows_;
    return std::nullopt;
  }
  const double before = std::max(kIdle, normal_.mean_in_flight);
  const double now = std::max(kIdle, window.mean_in_flight);
  const double moved = shape_distance(normal_shapes_, shapes);
  const bool load = now >= kInFlightFactor * before || now * kInFlightFactor <= before;
  changed_ = load || moved > kShapeShare ? changed_ + 1 : 0;
  if (changed_ < kWindows) return std::nullopt;
  if (load) {
    return fmt::format("requests in flight went from {:.2g} to {:.2g}", normal_.mean_in_flight,
                       window.mean_in_flight);
  }
  return fmt::format("{:.0f} % of requests have other shapes than before", moved * 100);
}

}  // namespace tachostat::govern

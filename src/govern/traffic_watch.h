// Has the character of the traffic changed since the governor stopped learning?
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "govern/govern.h"

namespace tachostat::govern {

// Thread-compatible.
class TrafficWatch {
 public:
  using Shapes = std::vector<std::pair<model::InputShapes, double>>;

  // So many windows make up what is normal, and so many in a row must differ from it.
  static constexpr int kWindows = 3;
  static constexpr double kInFlightFactor = 2;
  static constexpr double kShapeShare = 0.3;  // of requests whose shapes are others than before

  // What comes next is normal.
  void reset();
  // This is.
  void reset(Observation normal, Shapes shapes);
  // An undisturbed window and the shapes seen by now. Returns what changed, in a sentence.
  std::optional<std::string> add(const Observation& window, const Shapes& shapes);

 private:
  int normal_windows_ = 0;
  Observation normal_;
  Shapes normal_shapes_;
  int changed_ = 0;
};

// Half of the sum of differences of shares, 0 to 1.
double shape_distance(const TrafficWatch::Shapes& a, const TrafficWatch::Shapes& b);

}  // namespace tachostat::govern

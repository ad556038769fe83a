// What traffic is to be expected, from what it was.
#pragma once

#include <cstddef>
#include <deque>

#include "govern/predict.h"

namespace tachostat::govern {

// Thread-compatible.
class Forecast {
 public:
  // A closed window of normal traffic, answered by `serving`.
  void add(const Observation& seen, const verify::Point& serving);

  // The next windows' load: Holt's level and trend one window ahead, or the highest of the recent
  // windows when that is more. Bursts come back, and to be too fast for a while costs little.
  Load load() const;
  // How many times longer the serving variant's inferences take than its proof says; at least 1.
  // Heat, a quota or a neighbour slow all variants down alike.
  double slowness() const { return slowness_; }
  // What the point would be on the machine as it is now.
  verify::Point now(const verify::Point& point) const { return slowed(point, slowness_); }

 private:
  static constexpr std::size_t kRecent = 10;  // windows

  double level_ = 0, trend_ = 0;  // requests per second, and their change from window to window
  double slowness_ = 1;
  bool started_ = false;
  Load last_;
  std::deque<double> rates_;
};

}  // namespace tachostat::govern

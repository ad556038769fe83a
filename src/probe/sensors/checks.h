// What a sensor may not be believed.
#pragma once

#include <cstdint>
#include <string_view>

namespace tachostat::probe {

// Whether a level can be true on any machine this runs on: finite, and within
//   "Cel"  -60 to 200 (a thermistor that is torn off says -128, 255 or 65261)
//   "W"    0 to 20 kW            "Hz"  above 0, to 20 GHz
//   "1"    0 to 1e9              "By"  0 to 1 EiB          "s"  0 to 1000 years
bool plausible(std::string_view unit, double value);

// More power than one sensor of any machine carries: an energy counter that moves faster lies.
inline constexpr double kMostWatts = 20e3;

// Makes a counter that only grows out of one that wraps, restarts or glitches.
class Unwrapped {
 public:
  // `range`: the value after which it begins at zero again; 0 when that is not known. A raw value
  // above the range is a lie; the caller leaves it out.
  //
  // Going back means a wrap when the range is known and the value went from its upper half to its
  // lower half. Otherwise nothing is added; should the next value lie beyond the old one again, the
  // dip was a glitch, else the counter restarted and counts on from where it is.
  void add(std::uint64_t raw, std::uint64_t range);
  double total() const { return total_; }

 private:
  bool started_ = false;
  bool went_back_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t before_ = 0;  // the value it went back from
  double total_ = 0;
};

}  // namespace tachostat::probe

#include "probe/sensors/checks.h"

#include <cmath>

namespace tachostat::probe {

bool plausible(std::string_view unit, double value) {
  if (!std::isfinite(value)) return false;
  if (unit == "Cel") return value >= -60 && value <= 200;
  if (unit == "W") return value >= 0 && value <= kMostWatts;
  if (unit == "Hz") return value > 0 && value <= 20e9;
  if (unit == "1") return value >= 0 && value <= 1e9;
  if (unit == "By") return value >= 0 && value <= 0x1p60;
  if (unit == "s") return value >= 0 && value <= 3.2e10;
  return true;
}

void Unwrapped::add(std::uint64_t raw, std::uint64_t range) {
  if (!started_) {
    started_ = true;
    total_ = static_cast<double>(raw);
  } else if (raw >= last_) {
    const bool was_a_glitch = went_back_ && raw >= before_;
    total_ += static_cast<double>(raw - (was_a_glitch ? before_ : last_));
    went_back_ = false;
  } else if (range > 0 && last_ <= range && last_ > range / 2 && raw < range / 2) {
    total_ += static_cast<double>(range - last_ + raw);
    went_back_ = false;
  } else if (!went_back_) {
    before_ = last_;
    went_back_ = true;
  }
  last_ = raw;
}

}  // namespace tachostat::probe

// Did a series change its level, and where? Pure; docs/design/compare.md has the method.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tachostat::profile {

struct ChangePoint {
  std::size_t index = 0;  // of the first value of the new level
  double before = 0;      // means of the two stretches
  double after = 0;
  double p = 1;  // chance of a step as clear as this one without any change
};

struct ChangePointOptions {
  std::size_t least_segment = 4;  // values on each side
  int resamples = 999;            // p is never below 1 ÷ (resamples + 1)
  std::uint64_t seed = 1;
};

// The most likely single step of a series with normal noise, and its p by a bootstrap that keeps
// the noise's lag-1 correlation. The caller judges p. Nothing when the series is shorter than two
// segments, constant, or not finite.
std::optional<ChangePoint> find_change_point(std::span<const double> series,
                                             const ChangePointOptions& options = {});

// Correlation of neighbours in what is left of a series after `means` of its stretches were taken
// away, corrected for its bias in short ones (Kendall 1954; Marriott and Pope 1954): from 0 to
// 0.95.
double lag1_correlation(std::span<const double> residuals, int means = 1);

}  // namespace tachostat::profile

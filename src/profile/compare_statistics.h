// The arithmetic of `compare`; docs/design/compare.md has the methods and why. Times enter as
// natural logarithms, so differences are logarithms of ratios.
#pragma once

#include <span>
#include <vector>

#include "base/histogram.h"

namespace tachostat::profile {

double mean_of(std::span<const double> values);
double median_of(std::vector<double> values);
// The value at which half of the weight is reached.
double weighted_median(std::span<const double> values, std::span<const double> weights);

// A difference of two means and what is known of its error.
struct Difference {
  double value = 0;  // HEAD - BASE
  double error = 0;  // standard error
  double df = 1;     // degrees of freedom of the error; infinite: known
};
// Welch's. Two values or more on each side.
Difference welch(std::span<const double> base, std::span<const double> head);
// Of the mean of both sides' values, with one variance for both (for `moderate`).
Difference pooled(std::span<const double> base, std::span<const double> head);
// Smyth's moderated t (2004), on the safe side: each variance is drawn up to what all have in
// common, as far as they have something in common, and never down. All have the same df and the
// same numbers of values behind them.
void moderate(std::span<Difference> differences);

// Chance of a t this large when there is no difference; 1 - that is the chance the other way.
double p_above(const Difference& difference);
// Half of the two-sided interval at `confidence`.
double half_width(const Difference& difference, double confidence);

// Holm's (1979): adjusted p values, to hold against the family's alpha.
std::vector<double> holm(std::span<const double> p);

// Standard error of the mean of a series whose neighbours are correlated, and its effective size.
struct SeriesError {
  double error = 0;
  double size = 0;  // n (1 - r) ÷ (1 + r), r the lag-1 correlation; never over n
};
SeriesError error_of_mean(std::span<const double> series);

}  // namespace tachostat::profile

#include <algorithm>
#include <cmath>
#include <limits>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

}  // namespace

SequentialTest::SequentialTest(Options options) : options_(options) {}

void SequentialTest::add(double base, double candidate) {
  if (!(base > 0) || !(candidate > 0) || !std::isfinite(base) || !std::isfinite(candidate)) return;
  const double x = std::log(candidate) - std::log(base);
  ++pairs_;
  const double delta = x - mean_;
  mean_ += delta / pairs_;
  sum_squares_ += delta * (x - mean_);
}

// With n pairs, nu = n - 1, deviation s and tested mean mu: t = sqrt(n) (m - mu) / s. Given an
// effect size of variance g, sqrt(n) (m - mu) / sigma has variance c = 1 + n g instead of 1, so t
// is Student's t stretched by sqrt(c), and the Bayes factor is the ratio of the two densities:
//   BF(mu) = c^(-1/2) ((1 + t²/nu) / (1 + t²/(c nu)))^(n/2).
// BF < 1/alpha  <=>  t²/nu < (K - 1) / (1 - K/c)  with  K = (c / alpha²)^(1/n);
// for K >= c, the factor never gets that large: no mean can be excluded yet.
double SequentialTest::half_width() const {
  if (pairs_ < 2) return kUnbounded;
  const double n = pairs_;
  const double c = 1 + n * options_.effect_variance;
  const double k = std::exp((std::log(c) - 2 * std::log(options_.alpha)) / n);
  if (!(k < c)) return kUnbounded;
  // s² nu = sum of squares, so the half width s sqrt(nu limit / n) needs neither by itself. It is 0
  // when all pairs are the same: under a normal law that has probability 0 unless the law is a
  // point.
  const double limit = (k - 1) / (1 - k / c);
  return std::sqrt(std::max(0.0, sum_squares_) * limit / n);
}

double SequentialTest::ratio() const { return std::exp(mean_); }
double SequentialTest::ratio_low() const { return std::exp(mean_ - half_width()); }
double SequentialTest::ratio_high() const { return std::exp(mean_ + half_width()); }

SequentialTest::Verdict SequentialTest::verdict() const {
  if (pairs_ >= options_.min_pairs) {
    const double needed = 1 - options_.min_gain;
    if (ratio_high() < needed) return Verdict::kFaster;
    if (ratio_low() > needed) return Verdict::kNotFaster;
  }
  return pairs_ >= options_.max_pairs ? Verdict::kUndecided : Verdict::kContinue;
}

}  // namespace tachostat::verify

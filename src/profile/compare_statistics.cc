#include "profile/compare_statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "profile/change_point.h"

#include "profile/profile.h"

namespace tachostat::profile {
namespace {

constexpr double kFastest = 0.25;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double squares_around(std::span<const double> values, double mean) {
  double sum = 0;
  for (const double x : values) sum += (x - mean) * (x - mean);
  return sum;
}

// Beyond this many degrees of freedom, t is as good as normal.
boost::math::students_t t_with(double df) {
  return boost::math::students_t(std::clamp(df, 0.5, 1e6));
}

// y with trigamma(y) = value; trigamma falls from infinity to 0.
double inverse_trigamma(double value) {
  double low = 1e-8;
  double high = 1e8;
  for (int i = 0; i < 100; ++i) {
    const double middle = std::sqrt(low * high);
    (boost::math::trigamma(middle) > value ? low : high) = middle;
  }
  return std::sqrt(low * high);
}

// What a family of variances, each with `df`, has in common (Smyth 2004, section 6.2).
struct Prior {
  double df = 0;  // infinite: they are all one
  double variance = 0;
};
Prior prior_of(const std::vector<double>& variances, double df) {
  const double shift = std::log(df / 2) - boost::math::digamma(df / 2);
  std::vector<double> logs;
  for (const double x : variances) logs.push_back(std::log(x) + shift);
  const double mean = mean_of(logs);
  const double spread = squares_around(logs, mean) / static_cast<double>(logs.size() - 1) -
                        boost::math::trigamma(df / 2);
  if (!(spread > 0)) return {kInfinity, std::exp(mean)};
  const double half = inverse_trigamma(spread);
  return {2 * half, std::exp(mean + boost::math::digamma(half) - std::log(half))};
}

}  // namespace

double undisturbed_ns(const base::Histogram& time) {
  if (time.count() == 0) return 0;
  const auto middle_of = [&](std::uint32_t bucket) {
    const auto low = static_cast<double>(base::Histogram::lower_bound_of(bucket));
    const double next = bucket == base::Histogram::bucket_of(UINT64_MAX)
                            ? low
                            : static_cast<double>(base::Histogram::lower_bound_of(bucket + 1));
    return (low + next) / 2;
  };
  const double kept = static_cast<double>(time.count()) * kFastest;
  double left = kept;
  double fastest = 0;
  double all = 0;
  for (const auto& [bucket, count] : time.buckets()) {
    const double middle = middle_of(bucket);
    const double taken = std::min(left, static_cast<double>(count));
    fastest += taken * middle;
    left -= taken;
    all += static_cast<double>(count) * middle;
  }
  // Scaled so that the buckets' middles add up to the exact sum: a shift smaller than a bucket
  // shows.
  return fastest / kept * static_cast<double>(time.sum()) / all;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  const std::size_t half = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double weighted_median(std::span<const double> values, std::span<const double> weights) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  double left = std::accumulate(weights.begin(), weights.end(), 0.0) / 2;
  for (const std::size_t i : order) {
    left -= weights[i];
    if (left <= 0) return values[i];
  }
  return values[order.back()];
}

Difference welch(std::span<const double> base, std::span<const double> head) {
  const auto part = [](std::span<const double> values) {
    const auto n = static_cast<double>(values.size());
    return squares_around(values, mean_of(values)) / (n - 1) / n;
  };
  const double a = part(base);
  const double b = part(head);
  const double df =
      (a + b) * (a + b) /
      (a * a / static_cast<double>(base.size() - 1) + b * b / static_cast<double>(head.size() - 1));
  return {mean_of(head) - mean_of(base), std::sqrt(a + b), a + b > 0 ? df : 1};
}

Difference pooled(std::span<const double> base, std::span<const double> head) {
  const double df = static_cast<double>(base.size() + head.size()) - 2;
  const double squares = squares_around(base, mean_of(base)) + squares_around(head, mean_of(head));
  const double parts = 1 / static_cast<double>(base.size()) + 1 / static_cast<double>(head.size());
  return {mean_of(head) - mean_of(base), std::sqrt(squares / df * parts), df};
}

void moderate(std::span<Difference> differences) {
  if (differences.size() < 2) return;
  // A layer without any noise is a coarse clock's, not perfection.
  constexpr double kLeast = 1e-12;
  std::vector<double> variances;
  for (const Difference& one : differences) {
    variances.push_back(std::max(one.error * one.error, kLeast));
  }
  const double df = differences.front().df;
  const Prior prior = prior_of(variances, df);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const bool one = std::isinf(prior.df);
    const double drawn =
        one ? prior.variance : (prior.df * prior.variance + df * variances[i]) / (prior.df + df);
    // Only up: with few runs, a deviation that is small by luck is what makes false alarms, and a
    // layer that is noisier than the others is so for a reason.
    const double variance = std::max(drawn, variances[i]);
    // No more is known than all layers' deviations together tell.
    const double most = df * static_cast<double>(differences.size());
    differences[i].error = std::sqrt(variance);
    differences[i].df = std::min(prior.df + df, most);
  }
}

double p_above(const Difference& difference) {
  if (!(difference.error > 0)) return difference.value > 0 ? 0 : (difference.value < 0 ? 1 : 0.5);
  return boost::math::cdf(
      boost::math::complement(t_with(difference.df), difference.value / difference.error));
}

double half_width(const Difference& difference, double confidence) {
  if (!(difference.error > 0)) return 0;
  return difference.error * boost::math::quantile(boost::math::complement(t_with(difference.df),
                                                                          (1 - confidence) / 2));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double least = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    least = std::max(least, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    adjusted[order[i]] = least;
  }
  return adjusted;
}

SeriesError error_of_mean(std::span<const double> series) {
  const double mean = mean_of(series);
  std::vector<double> residuals;
  for (const double x : series) residuals.push_back(x - mean);
  const double r = lag1_correlation(residuals);
  const auto n = static_cast<double>(series.size());
  const double size = std::max(2.0, n * (1 - r) / (1 + r));
  return {std::sqrt(squares_around(series, mean) / (n - 1) / size), size};
}

}  // namespace tachostat::profile

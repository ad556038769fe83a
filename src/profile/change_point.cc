#include "profile/change_point.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace tachostat::profile {
namespace {

constexpr double kMostCorrelation = 0.95;

struct Step {
  std::size_t index = 0;
  double before = 0;
  double after = 0;
  double clarity = -1;  // between-segment ÷ total sum of squares: monotone in the likelihood ratio
};

// Most likely under normal noise of one deviation (Hawkins 1977).
Step best_step(std::span<const double> series, std::size_t least) {
  double sum = 0;
  for (const double x : series) sum += x;
  const auto n = static_cast<double>(series.size());
  double squares = 0;
  for (const double x : series) squares += (x - sum / n) * (x - sum / n);
  Step best;
  if (!(squares > 0)) return best;
  double left = 0;
  for (std::size_t i = 1; i + least <= series.size(); ++i) {
    left += series[i - 1];
    if (i < least) continue;
    const auto k = static_cast<double>(i);
    const double before = left / k;
    const double after = (sum - left) / (n - k);
    const double clarity = k * (n - k) / n * (after - before) * (after - before) / squares;
    if (clarity > best.clarity) best = {i, before, after, clarity};
  }
  return best;
}

// Noise without a step: the innovations of the fitted one, drawn anew, through an AR(1). Its
// correlation is drawn too, around the estimate: of a short series it is hardly known.
class Noise {
 public:
  Noise(std::span<const double> residuals, double correlation, std::uint64_t seed)
      : correlation_(correlation),
        error_(std::sqrt((1 - correlation * correlation) / static_cast<double>(residuals.size()))),
        random_(seed) {
    double mean = 0;
    for (std::size_t i = 1; i < residuals.size(); ++i) {
      innovations_.push_back(residuals[i] - correlation * residuals[i - 1]);
      mean += innovations_.back();
    }
    mean /= static_cast<double>(innovations_.size());
    for (double& x : innovations_) x -= mean;
  }

  void fill(std::vector<double>& to) {
    constexpr int kSettling = 50;  // 0.95^50 is 8 %
    const double correlation =
        std::clamp(correlation_ + error_ * normal_(random_), 0.0, kMostCorrelation);
    double value = 0;
    for (int i = 0; i < kSettling; ++i) value = correlation * value + innovation();
    for (double& x : to) x = value = correlation * value + innovation();
  }

 private:
  double innovation() { return innovations_[random_() % innovations_.size()]; }

  double correlation_;
  double error_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::vector<double> innovations_;
};

}  // namespace

double lag1_correlation(std::span<const double> residuals, int means) {
  double squares = 0;
  double products = 0;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    squares += residuals[i] * residuals[i];
    if (i > 0) products += residuals[i] * residuals[i - 1];
  }
  if (!(squares > 0)) return 0;
  const double raw = products / squares;
  const double bias = means * (1 + 4 * raw) / static_cast<double>(residuals.size());
  return std::clamp(raw + bias, 0.0, kMostCorrelation);
}

std::optional<ChangePoint> find_change_point(std::span<const double> series,
                                             const ChangePointOptions& options) {
  const std::size_t least = std::max<std::size_t>(options.least_segment, 2);
  if (series.size() < 2 * least) return std::nullopt;
  if (!std::all_of(series.begin(), series.end(), [](double x) { return std::isfinite(x); })) {
    return std::nullopt;
  }
  const Step step = best_step(series, least);
  if (step.clarity < 0) return std::nullopt;
  std::vector<double> residuals;
  for (std::size_t i = 0; i < series.size(); ++i) {
    residuals.push_back(series[i] - (i < step.index ? step.before : step.after));
  }
  // The step was chosen to leave as little correlation as it can: that takes about one mean more.
  constexpr int kMeans = 3;
  Noise noise(residuals, lag1_correlation(residuals, kMeans), options.seed);
  std::vector<double> sample(series.size());
  int as_clear = 0;
  for (int i = 0; i < options.resamples; ++i) {
    noise.fill(sample);
    if (best_step(sample, least).clarity >= step.clarity) ++as_clear;
  }
  return ChangePoint{.index = step.index,
                     .before = step.before,
                     .after = step.after,
                     .p = (1.0 + as_clear) / (1.0 + options.resamples)};
}

}  // namespace tachostat::profile

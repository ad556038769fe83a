#include "verify/metrics/drop.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/status.h"

namespace tachostat::verify {
namespace {

// A bet never stakes more than this share of what one sample can lose. Nearer to 1 gives a tighter
// bound when nothing drops (log(1 ÷ alpha) ÷ share ÷ n) and a looser one after a sample that drops
// from 1 to 0.
constexpr double kMostStake = 0.95;
constexpr std::size_t kMostSamples = 1'000'000;

// Drops d in [-1,1] as y = (1 - d) ÷ 2 in [0,1]: an upper bound for d is a lower one for y.
std::vector<double> gains_of(std::span<const double> reference, std::span<const double> candidate) {
  std::vector<double> gains(reference.size());
  for (std::size_t i = 0; i < gains.size(); ++i) gains[i] = (1 - (reference[i] - candidate[i])) / 2;
  return gains;
}

// True when the capital of whoever bets that y's mean is above `mean` reaches 1 ÷ alpha: then the
// mean is not `mean` or less.
bool rejected(std::span<const double> gains, double mean, double alpha) {
  const double samples = static_cast<double>(gains.size());
  const double wanted = std::log(1 / alpha);
  // Mean and variance of what came before, with half a pseudo-sample of each.
  double sum = 0.5;
  double squares = 0.25;
  double variance = 0.25;
  double capital = 0;  // its logarithm
  double count = 0;
  for (const double gain : gains) {
    ++count;
    const double bet = std::min(std::sqrt(2 * wanted / (samples * variance)), kMostStake / mean);
    capital += std::log1p(bet * (gain - mean));
    if (capital >= wanted) return true;
    sum += gain;
    const double average = sum / (count + 1);
    squares += (gain - average) * (gain - average);
    variance = squares / (count + 1);
  }
  return false;
}

// As many values as asked for, in the proportions of `sorted`, in an order that mixes them.
std::vector<double> resampled(const std::vector<double>& sorted, std::size_t samples) {
  std::size_t stride = samples * 5 / 8 + 1;
  while (std::gcd(stride, samples) != 1) ++stride;
  std::vector<double> values(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    // From the middle: what comes first costs least, so it should not be an extreme.
    const std::size_t place = (i * stride + samples / 2) % samples;
    values[i] = sorted[(2 * place + 1) * sorted.size() / (2 * samples)];
  }
  return values;
}

absl::Status check(std::span<const double> reference, std::span<const double> candidate,
                   double confidence) {
  if (reference.empty() || reference.size() != candidate.size()) {
    return base::invalid_argument(
        "expected as many scores of the candidate as of the reference, found {} and {}",
        candidate.size(), reference.size());
  }
  if (!(confidence > 0 && confidence < 1)) {
    return base::invalid_argument("confidence {}: expected above 0 and below 1", confidence);
  }
  for (std::size_t i = 0; i < reference.size(); ++i) {
    for (const double score : {reference[i], candidate[i]}) {
      if (!(score >= 0 && score <= 1)) {
        return base::invalid_argument("score {} of sample {}: expected 0 to 1", score, i);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Drop> paired_drop(std::span<const double> reference,
                                 std::span<const double> candidate, double confidence) {
  TS_RETURN_IF_ERROR(check(reference, candidate, confidence));
  const std::vector<double> gains = gains_of(reference, candidate);
  Drop drop{.samples = gains.size()};
  for (const double gain : gains) drop.mean += 1 - 2 * gain;
  drop.mean /= static_cast<double>(gains.size());
  // Every factor of the capital falls as the mean rises, so what is rejected is an interval from 0.
  double low = 0;
  double high = (1 - drop.mean) / 2;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (rejected(gains, middle, 1 - confidence) ? low : high) = middle;
  }
  drop.bound = 1 - 2 * low;
  return drop;
}

std::optional<std::size_t> samples_needed(std::span<const double> reference,
                                          std::span<const double> candidate, double limit,
                                          double confidence) {
  std::vector<double> gains = gains_of(reference, candidate);
  if (gains.empty()) gains = {0.5};
  double mean = 0;
  for (const double gain : gains) mean += (1 - 2 * gain) / static_cast<double>(gains.size());
  if (!(mean < limit) || !(limit < 1)) return std::nullopt;
  std::sort(gains.begin(), gains.end());
  const auto enough = [&](std::size_t samples) {
    return rejected(resampled(gains, samples), (1 - limit) / 2, 1 - confidence);
  };
  std::size_t high = 1;
  while (!enough(high)) {
    if (high > kMostSamples / 2) return std::nullopt;
    high *= 2;
  }
  std::size_t low = high / 2;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace tachostat::verify

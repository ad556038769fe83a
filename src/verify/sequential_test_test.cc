#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using Verdict = SequentialTest::Verdict;

// The Bayes factor by its definition: the likelihood averaged over effect sizes (normal) and scales
// (dσ/σ), over the likelihood without an effect averaged over the same scales. Sums on a grid.
double bayes_factor_by_integration(const std::vector<double>& xs, double mean, double g) {
  const double n = static_cast<double>(xs.size());
  double numerator = 0;
  double denominator = 0;
  for (double log_scale = -9; log_scale <= 4; log_scale += 0.01) {
    const double scale = std::exp(log_scale);
    const auto likelihood = [&](double effect) {
      double sum = 0;
      for (double x : xs) sum += std::pow((x - mean - effect * scale) / scale, 2);
      return std::exp(-sum / 2 - n * log_scale);
    };
    denominator += likelihood(0);
    for (double effect = -12; effect <= 12; effect += 0.02) {
      const double prior = std::exp(-effect * effect / (2 * g)) / std::sqrt(2 * M_PI * g);
      numerator += likelihood(effect) * prior * 0.02;
    }
  }
  return numerator / denominator;
}

TEST(SequentialTest, IntervalEndsWhereTheIntegratedBayesFactorReachesOneOverAlpha) {
  const std::vector<double> xs = {-0.31, 0.12, -0.05, -0.44, 0.07, -0.2, -0.09};
  for (const double g : {0.5, 1.0}) {
    SequentialTest test({.alpha = 0.05, .effect_variance = g});
    for (double x : xs) test.add(1, std::exp(x));
    EXPECT_NEAR(bayes_factor_by_integration(xs, std::log(test.ratio_high()), g), 20, 0.1);
    EXPECT_NEAR(bayes_factor_by_integration(xs, std::log(test.ratio_low()), g), 20, 0.1);
  }
}

struct Rates {
  double faster = 0;
  double not_faster = 0;
  double left_interval = 0;  // the true ratio was outside at some time
};

// `noise`: draws one log ratio's error.
template <class Noise>
Rates simulate(SequentialTest::Options options, double true_ratio, Noise noise,
               int sequences = 2000) {
  Rates rates;
  for (int i = 0; i < sequences; ++i) {
    SequentialTest test(options);
    Verdict first = Verdict::kContinue;
    bool left = false;
    while (test.pairs() < options.max_pairs) {
      test.add(10, 10 * true_ratio * std::exp(noise()));
      left = left || true_ratio < test.ratio_low() || true_ratio > test.ratio_high();
      if (first == Verdict::kContinue) first = test.verdict();
    }
    rates.faster += first == Verdict::kFaster;
    rates.not_faster += first == Verdict::kNotFaster;
    rates.left_interval += left;
  }
  rates.faster /= sequences;
  rates.not_faster /= sequences;
  rates.left_interval /= sequences;
  return rates;
}

TEST(SequentialTest, IsWrongAtMostAlphaOfTheTimeWhenLookedAtAfterEveryPair) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(0, 0.05);
  // Exactly on the border, either verdict is a mistake.
  const Rates rates =
      simulate({.alpha = 0.05, .max_pairs = 200}, 0.98, [&] { return noise(random); });
  EXPECT_LE(rates.left_interval, 0.05 + 0.015);  // three standard errors
  EXPECT_LE(rates.faster + rates.not_faster, 0.05 + 0.015);
  EXPECT_GT(rates.left_interval, 0.005);  // not merely wide
}

TEST(SequentialTest, DoesNotTrustFewPairsTooEarly) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> noise(0, 0.05);
  const Rates rates = simulate({.alpha = 0.05, .min_pairs = 1, .max_pairs = 10}, 0.98,
                               [&] { return noise(random); });
  EXPECT_LE(rates.left_interval, 0.05 + 0.015);
}

TEST(SequentialTest, ProvesTenPercentAtFivePercentNoiseWithinSixtyPairs) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 0.05);
  const Rates rates = simulate({}, 0.9, [&] { return noise(random); });
  EXPECT_GE(rates.faster, 0.99);
  EXPECT_LE(rates.not_faster, 0.01);
}

TEST(SequentialTest, RefusesWhatIsNotFaster) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> noise(0, 0.05);
  const Rates rates = simulate({}, 1.05, [&] { return noise(random); });
  EXPECT_GE(rates.not_faster, 0.95);
  EXPECT_LE(rates.faster, 0.01);
}

TEST(SequentialTest, OutliersCostPowerNotValidity) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0, 0.05);
  std::bernoulli_distribution outlier(0.05);
  // One pair in twenty is disturbed, on either side alike.
  const auto disturbed = [&] { return noise(random) * (outlier(random) ? 10 : 1); };
  const Rates border = simulate({.alpha = 0.05}, 0.98, disturbed);
  EXPECT_LE(border.left_interval, 0.05 + 0.015);
  const Rates gain = simulate({}, 0.9, disturbed);
  EXPECT_LE(gain.not_faster, 0.01);
}

TEST(SequentialTest, HasNoBoundsAtFirst) {
  SequentialTest test({});
  EXPECT_EQ(test.ratio(), 1);
  EXPECT_EQ(test.ratio_low(), 0);
  EXPECT_EQ(test.ratio_high(), std::numeric_limits<double>::infinity());
  test.add(10, 1);
  test.add(10, 1);
  EXPECT_EQ(test.ratio_high(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(test.verdict(), Verdict::kContinue);
}

TEST(SequentialTest, DecidesPairsWithoutNoiseOnceEnough) {
  SequentialTest test({});
  for (int i = 0; i < 20; ++i) test.add(10, 8);
  EXPECT_NEAR(test.ratio_high(), 0.8, 1e-9);
  EXPECT_EQ(test.verdict(), Verdict::kFaster);
  SequentialTest same({});
  for (int i = 0; i < 20; ++i) same.add(10, 10);
  EXPECT_EQ(same.verdict(), Verdict::kNotFaster);
}

TEST(SequentialTest, WaitsForMinPairsAndEndsAtMaxPairs) {
  SequentialTest eager({.alpha = 0.5, .min_pairs = 8});
  for (int i = 0; i < 7; ++i) eager.add(10, 5);
  EXPECT_EQ(eager.verdict(), Verdict::kContinue);
  eager.add(10, 5);
  EXPECT_EQ(eager.verdict(), Verdict::kFaster);

  SequentialTest noisy({});
  for (int i = 0; i < 60; ++i) noisy.add(10, i % 2 == 0 ? 5 : 19);
  EXPECT_EQ(noisy.verdict(), Verdict::kUndecided);
}

TEST(SequentialTest, IgnoresPairsThatAreNoDurations) {
  SequentialTest test({});
  test.add(0, 1);
  test.add(1, -1);
  test.add(std::numeric_limits<double>::quiet_NaN(), 1);
  test.add(1, std::numeric_limits<double>::infinity());
  EXPECT_EQ(test.pairs(), 0);
}

}  // namespace
}  // namespace tachostat::verify

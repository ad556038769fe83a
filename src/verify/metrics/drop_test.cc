#include "verify/metrics/drop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace tachostat::verify {
namespace {

// A pair of scores with a drop of `drop`.
struct Scores {
  std::vector<double> reference, candidate;
  void add(double drop) {
    reference.push_back(drop >= 0 ? 1 : 1 + drop);
    candidate.push_back(drop >= 0 ? 1 - drop : 1);
  }
};
double bound_of(const Scores& scores, double confidence = 0.95) {
  return paired_drop(scores.reference, scores.candidate, confidence)->bound;
}
Scores constant(double drop, std::size_t samples) {
  Scores scores;
  for (std::size_t i = 0; i < samples; ++i) scores.add(drop);
  return scores;
}

TEST(PairedDrop, WithoutAnyDifferenceIsBoundedByAboutThreeOverN) {
  for (const std::size_t samples : {100u, 300u, 1000u}) {
    const double n = static_cast<double>(samples);
    const double bound = bound_of(constant(0, samples));
    EXPECT_GT(bound, 2.9 / n);
    EXPECT_LT(bound, 3.5 / n);
  }
}

TEST(PairedDrop, HasTheMeanAndABoundAboveIt) {
  Scores scores = constant(0, 97);
  for (const double drop : {1.0, 0.5, -0.5}) scores.add(drop);
  const auto drop = paired_drop(scores.reference, scores.candidate);
  ASSERT_TRUE(drop.ok());
  EXPECT_EQ(drop->samples, 100u);
  EXPECT_NEAR(drop->mean, 0.01, 1e-12);
  EXPECT_GT(drop->bound, 0.01);
}

TEST(PairedDrop, BoundIsTighterWithMoreSamplesAndLooserWithMoreConfidence) {
  EXPECT_LT(bound_of(constant(0.01, 1000)), bound_of(constant(0.01, 200)));
  EXPECT_GT(bound_of(constant(0.01, 200), 0.99), bound_of(constant(0.01, 200), 0.9));
}

TEST(PairedDrop, OfACandidateThatIsAlwaysWrongIsOne) {
  EXPECT_NEAR(bound_of(constant(1, 50)), 1, 1e-6);
}

TEST(PairedDrop, OfABetterCandidateMayBeBoundedBelowZero) {
  EXPECT_LT(bound_of(constant(-0.5, 500)), 0);
}

// How often the bound is below the true mean, over many seeded data sets.
double misses(double mean, std::size_t samples,
              const std::function<double(std::mt19937_64&)>& draw) {
  constexpr int kRuns = 2000;
  std::mt19937_64 random(20240101);
  int missed = 0;
  for (int run = 0; run < kRuns; ++run) {
    Scores scores;
    for (std::size_t i = 0; i < samples; ++i) scores.add(draw(random));
    missed += bound_of(scores) < mean ? 1 : 0;
  }
  return static_cast<double>(missed) / kRuns;
}

// 5 % of misses are allowed; 1 % more for the simulation's own chance (two deviations of 2000
// runs).
TEST(PairedDrop, CoversRareFullLosses) {
  std::bernoulli_distribution lost(0.005);
  EXPECT_LE(misses(0.005, 200, [&](auto& random) { return lost(random) ? 1.0 : 0.0; }), 0.06);
}

TEST(PairedDrop, CoversLossesAndGainsThatCancel) {
  std::uniform_real_distribution<double> uniform(0, 1);
  EXPECT_LE(misses(0, 200,
                   [&](auto& random) {
                     const double u = uniform(random);
                     return u < 0.05 ? 1.0 : u < 0.1 ? -1.0 : 0.0;
                   }),
            0.06);
}

TEST(PairedDrop, CoversSkewedDrops) {
  // Mostly a small gain, rarely a large loss: a normal interval would miss often.
  std::bernoulli_distribution lost(0.02);
  const double mean = 0.02 * 0.8 - 0.98 * 0.01;
  EXPECT_LE(misses(mean, 100, [&](auto& random) { return lost(random) ? 0.8 : -0.01; }), 0.06);
}

TEST(PairedDrop, RefusesScoresThatAreNone) {
  const std::vector<double> good = {1, 0.5};
  EXPECT_FALSE(paired_drop({}, {}).ok());
  EXPECT_FALSE(paired_drop(good, std::vector<double>{1}).ok());
  EXPECT_FALSE(paired_drop(good, std::vector<double>{1, 1.5}).ok());
  EXPECT_FALSE(paired_drop(good, std::vector<double>{1, std::nan("")}).ok());
  EXPECT_FALSE(paired_drop(good, good, 1.0).ok());
}

TEST(SamplesNeeded, IsWhereTheBoundMeetsTheLimit) {
  const auto needed = samples_needed({}, {}, 0.01);
  ASSERT_TRUE(needed.has_value());
  EXPECT_LE(bound_of(constant(0, *needed)), 0.01);
  EXPECT_GT(bound_of(constant(0, *needed - 10)), 0.01);
  EXPECT_NEAR(static_cast<double>(*needed), 330, 20);
}

TEST(SamplesNeeded, IsMoreWithDropsAndNoneAtOrAboveTheLimit) {
  Scores scores = constant(0, 399);
  scores.add(1);
  const auto needed = samples_needed(scores.reference, scores.candidate, 0.01);
  ASSERT_TRUE(needed.has_value());
  EXPECT_GT(*needed, 400u);
  const Scores worse = constant(0.02, 100);
  EXPECT_FALSE(samples_needed(worse.reference, worse.candidate, 0.01).has_value());
}

}  // namespace
}  // namespace tachostat::verify

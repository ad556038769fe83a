#include "profile/compare_statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(CompareStatistics, UndisturbedIsTheFastestQuarter) {
  base::Histogram time;
  time.record(1000, 50);
  time.record(5000, 50);
  EXPECT_NEAR(undisturbed_ns(time), 1000, 20);
  time.clear();
  EXPECT_EQ(undisturbed_ns(time), 0);
}

// 1 % is a third of a bucket.
TEST(CompareStatistics, ShiftsSmallerThanABucketShow) {
  base::Histogram before;
  base::Histogram after;
  before.record(100'000, 100);
  after.record(101'000, 100);
  EXPECT_NEAR(undisturbed_ns(after) / undisturbed_ns(before), 1.01, 1e-9);
}

// Moore and McCabe's drug reading example: t(37.86) = 2.31, one-sided p 0.0132.
TEST(CompareStatistics, WelchAsInTextbooks) {
  const std::vector<double> treated{24, 43, 58, 71, 43, 49, 61, 44, 67, 49, 53,
                                    56, 59, 52, 62, 54, 57, 33, 46, 43, 57};
  const std::vector<double> control{42, 43, 55, 26, 62, 37, 33, 41, 19, 54, 20, 85,
                                    46, 10, 17, 60, 53, 42, 37, 42, 55, 28, 48};
  const Difference difference = welch(control, treated);
  EXPECT_NEAR(difference.value / difference.error, 2.31, 0.01);
  EXPECT_NEAR(difference.df, 37.86, 0.05);
  EXPECT_NEAR(p_above(difference), 0.0132, 0.0002);
}

TEST(CompareStatistics, HolmStepsDown) {
  const std::vector<double> p{0.04, 0.01, 0.03};
  EXPECT_THAT(holm(p), ElementsAre(DoubleNear(0.06, 1e-12), DoubleNear(0.03, 1e-12),
                                   DoubleNear(0.06, 1e-12)));
  EXPECT_THAT(holm({}), testing::IsEmpty());
}

TEST(CompareStatistics, IntervalsAreStudents) {
  EXPECT_NEAR(half_width({0, 1, 4}, 0.95), 2.776, 0.001);
  EXPECT_NEAR(half_width({0, 2, 1e9}, 0.99), 2 * 2.576, 0.001);
  EXPECT_EQ(half_width({1, 0, 4}, 0.95), 0);
}

TEST(CompareStatistics, WithoutNoiseAnyDifferenceCounts) {
  EXPECT_EQ(p_above({0.1, 0, 4}), 0);
  EXPECT_EQ(p_above({-0.1, 0, 4}), 1);
  EXPECT_EQ(p_above({0, 0, 4}), 0.5);
}

// 30 layers of one deviation, five runs a side: their deviations are learned from each other.
TEST(CompareStatistics, ModeratedErrorsComeUpToTheOthers) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(0, 0.02);
  std::vector<Difference> differences;
  double least = 1;
  for (int layer = 0; layer < 30; ++layer) {
    std::vector<double> base(5);
    std::vector<double> head(5);
    for (double& x : base) x = normal(random);
    for (double& x : head) x = normal(random);
    differences.push_back(pooled(base, head));
    least = std::min(least, differences.back().error);
  }
  const std::vector<Difference> own = differences;
  moderate(differences);
  const double expected = 0.02 * std::sqrt(2.0 / 5);
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_GE(differences[i].error, own[i].error);  // never down
    EXPECT_GT(differences[i].error, 0.8 * expected);
    EXPECT_GT(differences[i].df, 8);
  }
  EXPECT_LT(least, 0.7 * expected);
}

TEST(CompareStatistics, OneDifferenceIsLeftAlone) {
  std::vector<Difference> one{{0.1, 0.05, 8}};
  moderate(one);
  EXPECT_EQ(one[0].error, 0.05);
}

TEST(CompareStatistics, SeriesWhoseNeighboursGoTogetherAreShorter) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::vector<double> series;
  double value = 0;
  for (int i = 0; i < 5000; ++i) series.push_back(value = 0.5 * value + normal(random));
  const SeriesError error = error_of_mean(series);
  EXPECT_NEAR(error.size, 5000.0 / 3, 200);  // (1 - 0.5) ÷ (1 + 0.5)
  EXPECT_NEAR(error.error, std::sqrt(1 / (1 - 0.25) / (5000.0 / 3)), 0.003);
}

TEST(CompareStatistics, Medians) {
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(weighted_median(std::vector<double>{1, 2, 3}, std::vector<double>{1, 1, 5}), 3);
}

}  // namespace
}  // namespace tachostat::profile

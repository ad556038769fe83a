#include "optimize/quantise/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace tachostat::optimize {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TensorStatistics of(const std::vector<std::vector<float>>& samples, const model::Shape& shape) {
  TensorStatistics statistics;
  for (const auto& sample : samples) statistics.add(sample, shape, false);
  return statistics;
}

TEST(Statistics, KeepEndsOfEachSampleAndOfEachChannel) {
  const TensorStatistics found = of({{1, 2, 3, 4, -5, 6}, {0, 0, 0, 0, 0, 10}}, {1, 2, 3});
  EXPECT_EQ(found.low(), -5);
  EXPECT_EQ(found.high(), 10);
  EXPECT_EQ(found.mean_low(), -2.5);
  EXPECT_EQ(found.mean_high(), 8);
  EXPECT_THAT(found.channel_low(), ElementsAre(0, -5));
  EXPECT_THAT(found.channel_high(), ElementsAre(3, 10));
  EXPECT_THAT(found.channel_means(), ElementsAre(DoubleNear(1, 1e-6), DoubleNear(2.5, 1e-6)));
}

TEST(Statistics, LongRowsAndLastChannelsCountTheSame) {
  std::vector<float> values(2 * 100);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 50;
  const TensorStatistics rows = of({values}, {1, 2, 100});
  EXPECT_THAT(rows.channel_low(), ElementsAre(-50, 50));
  EXPECT_THAT(rows.channel_high(), ElementsAre(49, 149));
  TensorStatistics last;
  last.add(values, {1, 100, 2}, true);
  EXPECT_THAT(last.channel_low(), ElementsAre(-50, -49));
  EXPECT_THAT(last.channel_high(), ElementsAre(148, 149));
  EXPECT_EQ(last.low(), rows.low());
}

TEST(Statistics, CountWhatIsNotFiniteAndGoOn) {
  const float infinity = std::numeric_limits<float>::infinity();
  TensorStatistics found;
  found.add(std::vector<float>{1, infinity, std::nanf(""), 3}, {1, 2, 2}, false);
  EXPECT_EQ(found.not_finite(), 2U);
  EXPECT_EQ(found.high(), 3);
}

TEST(Statistics, AnEmptyTensorSaysNothing) {
  TensorStatistics found;
  found.add({}, {1, 0, 2}, false);
  EXPECT_EQ(found.samples(), 0U);
}

TEST(Statistics, BinsFollowValuesThatGrow) {
  const TensorStatistics found = of({{0, 0}, {1, -1}, {0.5F, 7}}, {2});
  EXPECT_EQ(found.reach(), 8);
  std::map<double, std::uint64_t> filled;  // by the bin's lower end
  for (std::size_t i = 0; i < TensorStatistics::kBins; ++i) {
    const double low = 16.0 * static_cast<double>(i) / TensorStatistics::kBins - 8;
    if (found.bins()[i] > 0) filled[low] = found.bins()[i];
  }
  std::uint64_t all = 0;
  for (const auto& [low, count] : filled) all += count;
  EXPECT_EQ(all, 6U);
  EXPECT_EQ(filled.at(0), 2U);
  EXPECT_EQ(filled.at(0.5), 1U);
  EXPECT_EQ(filled.at(7), 1U);
}

TEST(Ranges, WithoutNegativesStartAtZero) {
  const Range range = range_of(of({{0, 1, 2, 6}}, {4}), RangeMethod::kMinMax, true, 256);
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(range.high, 6);
}

TEST(Ranges, AroundZeroHaveOneCodeMoreBelow) {
  const Range range = range_of(of({{-1, 0, 2, 1.27F}}, {4}), RangeMethod::kMinMax, true, 256);
  EXPECT_FLOAT_EQ(range.high, 2);
  EXPECT_FLOAT_EQ(range.low, -2.0F * 128 / 127);
}

TEST(Ranges, WithAZeroPointHoldZeroExactly) {
  const Range range = range_of(of({{-0.3F, 0, 2}}, {3}), RangeMethod::kMinMax, false, 256);
  EXPECT_LE(range.low, -0.3F);
  EXPECT_GE(range.high, 2);
  const double step = (static_cast<double>(range.high) - range.low) / 255;
  const double zero = -range.low / step;
  EXPECT_NEAR(zero, std::round(zero), 1e-3);
}

TEST(Ranges, OfAConstantZeroAreStillRanges) {
  for (const bool symmetric : {true, false}) {
    for (const auto method : {RangeMethod::kMinMax, RangeMethod::kMse, RangeMethod::kPercentile}) {
      const Range range = range_of(of({{0, 0, 0}}, {3}), method, symmetric, 256);
      EXPECT_LT(range.low, range.high);
    }
  }
}

// One value in ten thousand is far from the rest: at few levels, giving it up costs less than
// coarse steps for all.
TEST(Ranges, ByErrorAndPercentileCutOutliersOff) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(20000);
  for (float& value : values) value = normal(random);
  values[7] = 30;
  const TensorStatistics found = of({values}, {1, 1, 20000});
  const float plain = range_of(found, RangeMethod::kMinMax, true, 16).high;
  EXPECT_EQ(plain, 30);
  EXPECT_LT(range_of(found, RangeMethod::kMse, true, 16).high, 10);
  EXPECT_LT(range_of(found, RangeMethod::kPercentile, true, 16).high, 10);
}

}  // namespace
}  // namespace tachostat::optimize

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "optimize/prune/channels.h"
#include "optimize/prune/ladder.h"
#include "optimize/prune/removal.h"

namespace tachostat::optimize {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kPlaces = 50;

// [1, channels, kPlaces], each channel as `value` has it of two random numbers.
ChannelStatistics statistics(std::size_t channels,
                             const std::function<float(std::size_t, float, float)>& value) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  ChannelStatistics found;
  for (int sample = 0; sample < 20; ++sample) {
    std::vector<float> values(channels * kPlaces);
    for (std::size_t place = 0; place < kPlaces; ++place) {
      const float a = normal(random);
      const float b = normal(random);
      for (std::size_t c = 0; c < channels; ++c) values[c * kPlaces + place] = value(c, a, b);
    }
    found.add(values, {1, static_cast<std::int64_t>(channels), kPlaces}, false);
  }
  return found;
}

// a, 2a + 3, 5 (always), b, a + b ÷ 10.
ChannelStatistics five() {
  return statistics(5, [](std::size_t c, float a, float b) {
    const std::array<float, 5> values = {a, 2 * a + 3, 5, b, a + b / 10};
    return values[c];
  });
}

TEST(Channels, OneSaysOfAnotherWhatALineSays) {
  const ChannelStatistics found = five();
  const ChannelStatistics::Line line = found.line(1, 0);
  EXPECT_THAT(line.factor, DoubleNear(2, 1e-4));
  EXPECT_THAT(line.offset, DoubleNear(3, 1e-4));
  EXPECT_THAT(line.left, DoubleNear(0, 1e-4));
  EXPECT_THAT(found.line(4, 0).left, DoubleNear(0.01, 0.002));
  EXPECT_THAT(found.line(3, 0).left, DoubleNear(1, 0.2));
  EXPECT_EQ(found.variance(2), 0);
  EXPECT_EQ(found.line(2, 0).left, 0);
  EXPECT_THAT(found.line(2, 0).offset, DoubleNear(5, 1e-6));
  // One that never changes says nothing of others.
  EXPECT_EQ(found.line(0, 2).factor, 0);
  EXPECT_EQ(found.line(0, 2).left, found.variance(0));
}

TEST(Channels, TheLastAxisAndOtherOnesReadTheSame) {
  const std::vector<float> first = {1, 2, 3, 10, 20, 30};  // 2 channels, 3 places
  const std::vector<float> last = {1, 10, 2, 20, 3, 30};
  ChannelStatistics a;
  a.add(first, {1, 2, 3}, false);
  ChannelStatistics b;
  b.add(last, {1, 3, 2}, true);
  EXPECT_EQ(a.mean(1), 20);
  EXPECT_EQ(b.mean(1), 20);
  EXPECT_DOUBLE_EQ(a.covariance(0, 1), b.covariance(0, 1));
  EXPECT_DOUBLE_EQ(a.covariance(0, 1), a.covariance(1, 0));
}

TEST(Channels, PlacesThatAreNotFiniteSayNothing) {
  ChannelStatistics found;
  const float infinity = std::numeric_limits<float>::infinity();
  found.add(std::vector<float>{1, infinity, 3, 4, 5, 6}, {1, 2, 3}, false);
  EXPECT_EQ(found.mean(0), 2);
  EXPECT_EQ(found.mean(1), 5);
}

TEST(Removal, WhatOthersSayGoesFirst) {
  const std::vector<Reading> readings = {{{"reader", 0}, five(), {1, 1, 1, 1, 1}}};
  const Removal removal = order_of_removal(readings, 5);
  ASSERT_EQ(removal.order.size(), 4U);  // one stays
  // The constant and one of the twins disturb nothing; then a + b ÷ 10, which a says nearly all of.
  EXPECT_THAT(removal.error[1], DoubleNear(0, 1e-6));
  EXPECT_LT(removal.error[2], 0.01);
  EXPECT_GT(removal.error[3], 0.1);
  EXPECT_EQ(removal.order[3] == 3 || removal.order[2] != 3, true);
}

TEST(Removal, AReaderThatMultipliesByNothingDoesNotMind) {
  const std::vector<Reading> readings = {{{"reader", 0}, five(), {1, 1, 1, 0, 1}},
                                         {{"other", 0}, five(), {1, 1, 1, 0, 1}}};
  const Removal removal = order_of_removal(readings, 3);
  EXPECT_THAT(removal.error, Each(DoubleNear(0, 0.01)));
  EXPECT_EQ(std::count(removal.order.begin(), removal.order.end(), 3), 1);
}

TEST(Removal, StandInsAreAmongThoseThatStay) {
  const std::vector<Reading> readings = {{{"reader", 0}, five(), {1, 1, 1, 1, 1}}};
  const Removal removal = order_of_removal(readings, 3);
  const model::Prune::Group group = group_without("layer", readings, removal, 3);
  EXPECT_EQ(group.dropped.size(), 3U);
  ASSERT_EQ(group.readers.size(), 1U);
  for (const int by : group.readers[0].by) {
    EXPECT_FALSE(std::binary_search(group.dropped.begin(), group.dropped.end(), by)) << by;
  }
  EXPECT_EQ(group.readers[0].factor.size(), 3U);
}

// Whichever of many equal channels go, the last one says all of them.
TEST(Removal, AStandInThatGoesIsReplaced) {
  const auto same =
      statistics(8, [](std::size_t c, float a, float) { return a * static_cast<float>(c + 1); });
  const std::vector<Reading> readings = {{{"reader", 0}, same, std::vector<float>(8, 1)}};
  const Removal removal = order_of_removal(readings, 7);
  EXPECT_THAT(removal.error, Each(DoubleNear(0, 1e-6)));
}

TEST(Ladder, CountsLeaveWholeBlocks) {
  EXPECT_THAT(prunable_counts(64), ElementsAre(16, 32, 48));
  EXPECT_THAT(prunable_counts(24), ElementsAre(8));
  EXPECT_THAT(prunable_counts(16), IsEmpty());
  for (const std::size_t count : prunable_counts(1536)) EXPECT_EQ((1536 - count) % 16, 0U);
}

TEST(Ladder, CheapStepsComeFirst) {
  const std::vector<std::vector<PruneLevel>> groups = {
      {{16, 100, 0.1}, {32, 200, 0.9}},  // a tenth of a percent a nanosecond, then eight
      {{8, 50, 0.01}},
      {{8, 0, 0.0}},  // saves nothing
  };
  EXPECT_THAT(prune_ladder(groups),
              ElementsAre(ElementsAre(0, 8, 0), ElementsAre(16, 8, 0), ElementsAre(32, 8, 0)));
}

TEST(Ladder, ALevelThatSavesNoMoreIsPassedOver) {
  const std::vector<std::vector<PruneLevel>> groups = {
      {{16, 100, 0.1}, {32, 90, 0.2}, {48, 300, 0.3}}};
  EXPECT_THAT(prune_ladder(groups), ElementsAre(ElementsAre(16), ElementsAre(48)));
  EXPECT_THAT(prune_ladder({{{16, -5, 0.1}}}), IsEmpty());
}

}  // namespace
}  // namespace tachostat::optimize

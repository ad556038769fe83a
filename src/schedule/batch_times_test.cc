#include "schedule/batch_times.h"

#include <gtest/gtest.h>

namespace tachostat::schedule {
namespace {

TEST(BatchTimes, KnowsNothingAtFirst) { EXPECT_EQ(BatchTimes().expect(3), 0); }

TEST(BatchTimes, TakesLargerBatchesForNoSlowerUntilOneRan) {
  BatchTimes times;
  times.add(1, 10e6);
  EXPECT_DOUBLE_EQ(times.expect(1), 10e6);
  EXPECT_DOUBLE_EQ(times.expect(8), 10e6);
  times.add(8, 24e6);
  EXPECT_DOUBLE_EQ(times.expect(8), 24e6);
}

TEST(BatchTimes, GoesAlongTheLineBetweenAndBeyondWhatItSaw) {
  BatchTimes times;
  times.add(1, 10e6);
  times.add(5, 18e6);
  EXPECT_DOUBLE_EQ(times.expect(3), 14e6);
  EXPECT_DOUBLE_EQ(times.expect(9), 26e6);
}

TEST(BatchTimes, FollowsAChange) {
  BatchTimes times;
  for (int i = 0; i < 50; ++i) times.add(1, 10e6);
  for (int i = 0; i < 50; ++i) times.add(1, 20e6);
  EXPECT_NEAR(times.expect(1), 20e6, 0.1e6);
}

TEST(BatchTimes, DoesNotTakeNoiseForBatchesThatTakeLess) {
  BatchTimes times;
  times.add(1, 10e6);
  times.add(2, 9e6);
  EXPECT_GE(times.expect(16), 9e6);
}

}  // namespace
}  // namespace tachostat::schedule

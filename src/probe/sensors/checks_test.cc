#include "probe/sensors/checks.h"

#include <gtest/gtest.h>

#include <limits>

namespace tachostat::probe {
namespace {

double after(std::initializer_list<std::uint64_t> raws, std::uint64_t range) {
  Unwrapped counter;
  for (const std::uint64_t raw : raws) counter.add(raw, range);
  return counter.total();
}

TEST(Unwrapped, FollowsACounterThatGrows) { EXPECT_EQ(after({10, 15, 15, 40}, 0), 40); }

TEST(Unwrapped, UndoesAWrapAtTheRange) {
  EXPECT_EQ(after({900, 990, 20}, 1000), 1020);
  EXPECT_EQ(after({900, 990, 20, 980, 5}, 1000), 2005);
}

TEST(Unwrapped, AddsNothingForARestart) {
  EXPECT_EQ(after({300, 0, 50}, 1000), 350);
  EXPECT_EQ(after({300, 0, 50}, 0), 350);
}

TEST(Unwrapped, TakesADipForAGlitch) {
  EXPECT_EQ(after({300, 0, 310}, 0), 310);
  EXPECT_EQ(after({300, 290, 305, 306}, 0), 306);
}

TEST(Plausible, KnowsTheBoundsOfEachUnit) {
  EXPECT_TRUE(plausible("Cel", -20));
  EXPECT_FALSE(plausible("Cel", -128));
  EXPECT_FALSE(plausible("Cel", 255));
  EXPECT_TRUE(plausible("W", 0));
  EXPECT_FALSE(plausible("W", -0.5));
  EXPECT_FALSE(plausible("W", 4294967295.0));
  EXPECT_FALSE(plausible("Hz", 0));
  EXPECT_FALSE(plausible("By", std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(plausible("1", std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace tachostat::probe

#include "base/clock.h"

#include <gtest/gtest.h>

namespace tachostat::base {
namespace {

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const Time start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(std::chrono::milliseconds(5));
  EXPECT_EQ(clock.now() - start, std::chrono::milliseconds(5));
}

TEST(FormatUnixTime, IsRfc3339WithMilliseconds) {
  EXPECT_EQ(format_unix_time(std::chrono::milliseconds(1795465328125)), "2026-11-23T20:22:08.125Z");
}

}  // namespace
}  // namespace tachostat::base

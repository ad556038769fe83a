#include "simulate/machine.h"

#include <gtest/gtest.h>

#include <string>

namespace tachostat::simulate {
namespace {

using std::chrono::milliseconds;

class MachineTest : public testing::Test {
 protected:
  void start(const std::string& name, double work, double cores) {
    machine.start(work, cores, [this, name] { ended += name; });
  }
  // When the next one ends, since the begin, in milliseconds; it ends.
  double next_ms() {
    const base::Time next = machine.next_finish();
    clock.set(next);
    machine.finish_due();
    return base::to_milliseconds(next - begin);
  }

  base::ManualClock clock;
  const base::Time begin = clock.now();
  Machine machine{clock, 2};
  std::string ended;
};

TEST_F(MachineTest, RunsWhatFitsAtFullSpeed) {
  start("a", 0.010, 1);
  start("b", 0.020, 1);
  EXPECT_NEAR(next_ms(), 10, 1e-5);
  EXPECT_NEAR(next_ms(), 20, 1e-5);
  EXPECT_EQ(ended, "ab");
  EXPECT_EQ(machine.next_finish(), base::Time::max());
}

TEST_F(MachineTest, SharesItsCoresWhenTheyDoNotSuffice) {
  start("a", 0.010, 2);
  start("b", 0.010, 2);
  EXPECT_NEAR(next_ms(), 20, 1e-5);
  EXPECT_EQ(ended, "ab");
}

TEST_F(MachineTest, ChangesOfSpeedCountFromWhenTheyCome) {
  start("a", 0.010, 1);
  clock.advance(milliseconds(5));
  machine.set_slowness(2);
  EXPECT_NEAR(next_ms(), 15, 1e-5);
  start("b", 0.010, 1);
  machine.set_cores(0);
  EXPECT_EQ(machine.next_finish(), base::Time::max());
  clock.advance(milliseconds(100));
  machine.set_cores(2);
  machine.set_slowness(1);
  EXPECT_NEAR(next_ms(), 125, 1e-5);
}

TEST_F(MachineTest, WhatEndsMayStartMore) {
  machine.start(0.010, 1, [this] { start("later", 0.010, 1); });
  EXPECT_NEAR(next_ms(), 10, 1e-5);
  EXPECT_NEAR(next_ms(), 20, 1e-5);
  EXPECT_EQ(ended, "later");
}

TEST_F(MachineTest, EndsEverythingWhenAsked) {
  machine.start(1, 1, [this] { start("later", 1, 1); });
  machine.finish_all();
  EXPECT_EQ(ended, "later");
  EXPECT_EQ(machine.running(), 0U);
}

}  // namespace
}  // namespace tachostat::simulate

// Inferences that do not end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedule/scheduler_test_support.h"

namespace tachostat::schedule {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class HangingTest : public testing::Test {
 protected:
  HangingTest() {
    id = bench.load();
    model::Plan plan = bench.plan({id});
    plan.hang_after = seconds(5);
    EXPECT_TRUE(bench.publish(plan).ok());
  }
  // The engine runs nothing meanwhile.
  void wait(base::Duration time) {
    bench.clock.advance(time);
    bench.scheduler->poll();
  }

  Bench bench{{.advance_clock = false}};
  std::string id;
};

TEST_F(HangingTest, AnswersTheRequestsAndUsesTheSlotAgain) {
  Answer& stuck = bench.ask({1, 1});
  Answer& waiting = bench.ask({2, 2});
  wait(milliseconds(4900));
  EXPECT_FALSE(stuck.came);
  wait(milliseconds(200));
  ASSERT_TRUE(stuck.came);
  EXPECT_EQ(stuck.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(stuck.status.message()), HasSubstr("hangs"));
  EXPECT_FALSE(waiting.came);
  const Statistics now = bench.scheduler->statistics();
  EXPECT_EQ(now.hung, 1U);
  EXPECT_EQ(now.failed, 1U);
  EXPECT_EQ(now.accepted, now.succeeded + now.failed + now.expired + 1);
  EXPECT_THAT(bench.log, HasSubstr("-"));
}

TEST_F(HangingTest, WhatComesAfterAllChangesNothing) {
  Answer& stuck = bench.ask({1, 1});
  Answer& waiting = bench.ask({2, 2});
  wait(seconds(6));
  ASSERT_TRUE(stuck.came);
  wait(seconds(1));
  bench.engine.run_all();
  EXPECT_TRUE(waiting.came && waiting.status.ok());
  const Statistics now = bench.scheduler->statistics();
  EXPECT_EQ(now.succeeded, 1U);
  EXPECT_EQ(now.in_flight, 0);
  EXPECT_TRUE(bench.ask({3, 3}).came == false);
  bench.engine.run_all();
  EXPECT_EQ(bench.scheduler->statistics().succeeded, 2U);
}

TEST_F(HangingTest, AVariantThatHangsIsNotWaitedFor) {
  bench.ask({1, 1});
  wait(seconds(6));
  const std::string other = bench.load({.threads = 2});
  ASSERT_TRUE(bench.publish(bench.plan({other})).ok());
  const absl::Status status = bench.scheduler->remove_session(id);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  bench.engine.run_all();
  EXPECT_TRUE(bench.scheduler->remove_session(id).ok());
}

TEST_F(HangingTest, ForAMomentNothingMoreGoesToWhatHangs) {
  bench.ask({1, 1});
  bench.ask({2, 2});
  wait(seconds(6));
  EXPECT_EQ(bench.scheduler->statistics().in_flight, 0);
  const std::string other = bench.load({.threads = 2});
  ASSERT_TRUE(bench.publish(bench.plan({other})).ok());  // as the governor does
  EXPECT_EQ(bench.scheduler->statistics().in_flight, 1);
}

TEST_F(HangingTest, SaysWhenItHasToLookAgain) {
  bench.ask({1, 1});
  EXPECT_EQ(bench.scheduler->poll(), bench.clock.now() + seconds(5));
}

TEST_F(HangingTest, WithoutALimitNothingIsGivenUp) {
  bench.publish(bench.plan({id})).IgnoreError();
  Answer& slow = bench.ask({1, 1});
  wait(std::chrono::hours(1));
  EXPECT_FALSE(slow.came);
}

}  // namespace
}  // namespace tachostat::schedule

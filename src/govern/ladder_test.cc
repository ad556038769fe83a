#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "govern/govern.h"
#include "govern/policy_test_support.h"
#include "govern/predict.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

verify::Point point(const model::Variant& variant, double service_ms, double drop = 0) {
  verify::Point result;
  result.variant = variant;
  result.service_ms = service_ms;
  result.capacity = variant.streams * variant.batch * 1e3 / service_ms;
  result.drop_bound = drop;
  return result;
}

verify::Frontier two_rungs() {
  verify::Frontier frontier;
  frontier.add(point(quick(), 10));  // 100/s
  frontier.add(point(wide(), 15));   // 133/s
  return frontier;
}

class LadderTest : public testing::Test {
 protected:
  Choice window(const Seen& seen, const model::Variant& current) {
    return ladder_->decide(observe(seen, now_), frontier_, targets_, current.id(), now_);
  }
  // Windows until a change, at most `most`; 0: none.
  int windows_until_change(const Seen& seen, const model::Variant& current, int most = 30) {
    for (int i = 1; i <= most; ++i) {
      last_ = window(seen, current);
      if (last_.change) return i;
    }
    return 0;
  }

  std::unique_ptr<Policy> ladder_ = make_ladder();
  verify::Frontier frontier_ = two_rungs();
  Targets targets_{.p99 = milliseconds(30)};
  base::Time now_{seconds(100)};
  Choice last_;
};

TEST_F(LadderTest, StaysWhenAllIsWell) {
  EXPECT_EQ(windows_until_change({.rate = 50, .latency_ms = 12}, quick()), 0);
  EXPECT_EQ(last_.variant, quick().id());
  EXPECT_THAT(last_.reason, HasSubstr("nothing to change"));
}

TEST_F(LadderTest, StepsUpWhenTheTargetIsMissedButNotBeforeTheDwell) {
  const int windows = windows_until_change({.rate = 98, .latency_ms = 80}, quick());
  EXPECT_EQ(last_.variant, wide().id());
  EXPECT_EQ(windows, 6);  // the first sets the dwell of 5 s
  EXPECT_THAT(last_.reason, HasSubstr("30.0ms is missed"));
}

TEST_F(LadderTest, OneBadWindowMovesNothing) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(window({.rate = 50, .latency_ms = i % 2 == 0 ? 80.0 : 12.0}, quick()).change);
  }
}

TEST_F(LadderTest, StepsUpWithoutATargetWhenRequestsQueue) {
  targets_.p99.reset();
  EXPECT_GT(windows_until_change({.rate = 99, .latency_ms = 40}, quick()), 0);
  EXPECT_EQ(last_.variant, wide().id());
  EXPECT_THAT(last_.reason, HasSubstr("utilisation"));
}

TEST_F(LadderTest, OneBusyClientIsNoCrowd) {
  targets_.p99.reset();
  EXPECT_EQ(windows_until_change({.rate = 100, .latency_ms = 10.1}, quick()), 0);
}

TEST_F(LadderTest, StepsDownWhenTheLowerRungWouldHoldAndAnswerSooner) {
  targets_.p99 = milliseconds(40);
  const int windows =
      windows_until_change({.rate = 20, .latency_ms = 15, .service_ms = 15}, wide());
  EXPECT_EQ(last_.variant, quick().id());
  EXPECT_EQ(windows, 6);
  EXPECT_THAT(last_.reason, HasSubstr("would carry it"));
}

TEST_F(LadderTest, DoesNotStepDownUnderLoad) {
  EXPECT_EQ(windows_until_change({.rate = 80, .latency_ms = 20, .service_ms = 15}, wide()), 0);
}

TEST_F(LadderTest, DoesNotStepDownToASlowerRung) {
  frontier_ = verify::Frontier();
  frontier_.add(point(quick(), 10));
  frontier_.add(point({.precision = model::Precision::kBF16}, 6, 0.005));
  targets_.p99 = milliseconds(100);
  EXPECT_EQ(windows_until_change({.rate = 10, .latency_ms = 6, .service_ms = 6},
                                 {.precision = model::Precision::kBF16}),
            0);
}

TEST_F(LadderTest, UpAndDownDoNotChaseEachOther) {
  // Halfway between the limits, neither rung is left.
  EXPECT_EQ(windows_until_change({.rate = 65, .latency_ms = 18}, quick(), 50), 0);
  EXPECT_EQ(windows_until_change({.rate = 65, .latency_ms = 16, .service_ms = 15}, wide(), 50), 0);
}

TEST_F(LadderTest, TooFewAnswersAreNoEvidence) {
  EXPECT_EQ(windows_until_change({.rate = 10, .latency_ms = 500}, quick()), 0);
  EXPECT_THAT(last_.reason, HasSubstr("too few"));
}

TEST_F(LadderTest, SaysWhenNoRungCanHoldTheTarget) {
  EXPECT_EQ(windows_until_change({.rate = 130, .latency_ms = 80, .service_ms = 15}, wide()), 0);
  EXPECT_THAT(last_.reason, HasSubstr("none of the 2 verified variants"));
  EXPECT_THAT(last_.reason, HasSubstr("miss the target p99 30.0ms"));
}

TEST_F(LadderTest, LeavesAVariantThatIsNoLongerAllowedAtOnce) {
  const Choice choice =
      window({.rate = 50}, {.precision = model::Precision::kBF16});  // not on the frontier
  EXPECT_TRUE(choice.change);
  EXPECT_EQ(choice.variant, quick().id());
}

TEST_F(LadderTest, AnEmptyFrontierChangesNothing) {
  frontier_ = verify::Frontier();
  const Choice choice = window({.rate = 50}, quick());
  EXPECT_FALSE(choice.change);
  EXPECT_EQ(choice.variant, quick().id());
}

TEST_F(LadderTest, ABatchingRungComesWithItsDelay) {
  model::Variant batching = wide();
  batching.batch = 4;
  frontier_.add(point(batching, 30));  // 267/s
  EXPECT_GT(windows_until_change({.rate = 140, .latency_ms = 200, .service_ms = 15}, wide()), 0);
  EXPECT_EQ(last_.variant, batching.id());
  EXPECT_EQ(last_.max_batch, 4);
  EXPECT_EQ(last_.max_batch_delay, milliseconds(3));  // a tenth of the target
}

TEST_F(LadderTest, UnmeasuredRungsAreNotTaken) {
  frontier_.add(point({.threads = 8, .streams = 8}, 1));
  verify::Point unmeasured;
  unmeasured.variant = {.threads = 4, .streams = 4};
  frontier_ = verify::Frontier();
  frontier_.add(unmeasured);
  frontier_.add(point(quick(), 10));
  EXPECT_EQ(windows_until_change({.rate = 98, .latency_ms = 80}, quick()), 0);
}

TEST(PredictTest, GrowsWithLoadWithoutBound) {
  const verify::Point rung = point(quick(), 10);
  double last = 0;
  for (double rate : {1.0, 20.0, 50.0, 80.0, 99.0}) {
    const Prediction prediction = predict(rung, {.arrival_rate = rate});
    EXPECT_GT(prediction.p99_ms, last);
    EXPECT_GE(prediction.p99_ms, prediction.mean_ms);
    last = prediction.p99_ms;
  }
  EXPECT_TRUE(std::isinf(predict(rung, {.arrival_rate = 100}).p99_ms));
  // M/D/1: s (1 + ρ ÷ (2 (1 - ρ)))
  EXPECT_NEAR(predict(rung, {.arrival_rate = 50}).mean_ms, 15, 0.01);
}

TEST(PredictTest, ClosedLoopWaitsItsTurn) {
  EXPECT_EQ(predict(point(wide(), 15), {.in_flight = 1}).closed_mean_ms, 15);
  EXPECT_NEAR(predict(point(wide(), 15), {.in_flight = 4}).closed_mean_ms, 30, 1e-9);
}

}  // namespace
}  // namespace tachostat::govern

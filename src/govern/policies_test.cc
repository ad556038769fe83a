// The predictive policy and the bandit on windows of made-up traffic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "govern/forecast.h"
#include "govern/govern.h"
#include "govern/policy_test_support.h"
#include "govern/predict.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

verify::Point point(const model::Variant& variant, double service_ms, double capacity) {
  return {.variant = variant, .service_ms = service_ms, .capacity = capacity};
}

class PolicyTest : public testing::Test {
 protected:
  PolicyTest() {
    frontier.add(point(quick(), 10, 100));
    frontier.add(point(wide(), 15, 133));
  }
  Observation observe(const Seen& seen) { return govern::observe(seen, now); }
  Choice decide(Policy& policy, const Seen& seen, const model::Variant& serving) {
    return policy.decide(observe(seen), frontier, targets, serving.id(), now);
  }

  verify::Frontier frontier;
  Targets targets{.p99 = milliseconds(60)};
  base::Time now{seconds(100)};
};

TEST_F(PolicyTest, PredictiveStaysWhenNothingIsExpectedToChange) {
  const auto policy = make_predictive();
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(decide(*policy, {}, quick()).change);
}

TEST_F(PolicyTest, PredictiveGoesToWhatCarriesMoreAfterOneWindowOfABurst) {
  const auto policy = make_predictive();
  for (int i = 0; i < 5; ++i) decide(*policy, {}, quick());
  const Choice choice = decide(*policy, {.rate = 110, .latency_ms = 90}, quick());
  EXPECT_TRUE(choice.change);
  EXPECT_EQ(choice.variant, wide().id());
  EXPECT_THAT(choice.reason, HasSubstr("requests/s"));
}

TEST_F(PolicyTest, PredictiveKnowsThatTheMachineIsSlower) {
  const auto policy = make_predictive();
  for (int i = 0; i < 5; ++i) decide(*policy, {.rate = 60}, quick());
  Choice choice;
  for (int i = 0; i < 3 && !choice.change; ++i) {
    choice = decide(*policy, {.rate = 60, .latency_ms = 80, .service_ms = 20}, quick());
  }
  EXPECT_TRUE(choice.change);
  EXPECT_EQ(choice.variant, wide().id());
}

TEST_F(PolicyTest, PredictiveComesBackOnlyWhenItIsSoonerForLong) {
  const auto policy = make_predictive();
  int windows = 0;
  Choice choice;
  while (!choice.change && windows < 60) {
    choice = decide(*policy, {.rate = 30, .latency_ms = 16, .service_ms = 15}, wide());
    ++windows;
  }
  EXPECT_EQ(choice.variant, quick().id());
  EXPECT_GE(windows, 6);
  EXPECT_LT(windows, 60);
}

TEST_F(PolicyTest, PredictiveTakesTheLargestWhenNothingHolds) {
  const auto policy = make_predictive();
  decide(*policy, {}, quick());
  const Choice choice = decide(*policy, {.rate = 300, .latency_ms = 500}, quick());
  EXPECT_TRUE(choice.change);
  EXPECT_EQ(choice.variant, wide().id());
}

TEST_F(PolicyTest, PredictiveLeavesAVariantThatIsNoLongerAllowed) {
  const auto policy = make_predictive();
  const Choice choice = decide(*policy, {}, {.threads = 7});
  EXPECT_TRUE(choice.change);
}

TEST_F(PolicyTest, FewAnswersTellNothing) {
  for (const auto& policy : {make_predictive(), make_bandit()}) {
    EXPECT_FALSE(decide(*policy, {.rate = 5, .latency_ms = 900}, quick()).change);
  }
}

TEST_F(PolicyTest, FixedNeverChanges) {
  const auto policy = make_fixed();
  EXPECT_FALSE(decide(*policy, {.rate = 300, .latency_ms = 900}, quick()).change);
}

TEST_F(PolicyTest, TheForecastExpectsBurstsToComeBack) {
  Forecast forecast;
  for (const double rate : {50.0, 50.0, 140.0, 50.0, 50.0}) {
    forecast.add(observe({.rate = rate}), point(quick(), 10, 100));
  }
  EXPECT_DOUBLE_EQ(forecast.load().arrival_rate, 140);
  for (int i = 0; i < 10; ++i) forecast.add(observe({.rate = 50}), point(quick(), 10, 100));
  EXPECT_LT(forecast.load().arrival_rate, 60);
}

TEST_F(PolicyTest, TheForecastFollowsARamp) {
  Forecast forecast;
  for (int i = 1; i <= 10; ++i) {
    forecast.add(observe({.rate = 10.0 * i}), point(quick(), 10, 100));
  }
  EXPECT_GT(forecast.load().arrival_rate, 100);
}

TEST_F(PolicyTest, NoiseOfTheServiceTimeIsNoSlowness) {
  Forecast forecast;
  for (int i = 0; i < 20; ++i) {
    forecast.add(observe({.service_ms = 10.5}), point(quick(), 10, 100));
  }
  EXPECT_DOUBLE_EQ(forecast.slowness(), 1);
}

verify::Point batches() {  // 6 ms alone, 20 ms for 8: 400/s
  verify::Point point;
  point.variant = {.threads = 2, .batch = 8};
  point.service_ms = 20;
  point.single_ms = 6;
  point.capacity = 400;
  return point;
}

TEST_F(PolicyTest, ABatchIsAsLargeAsTheLoadMakesIt) {
  const Prediction light = predict(batches(), {.arrival_rate = 20});
  EXPECT_LT(light.mean_ms, 8);
  const Prediction heavy = predict(batches(), {.arrival_rate = 300});
  EXPECT_GT(heavy.mean_ms, 1.5 * light.mean_ms);
  EXPECT_GT(heavy.p99_ms, light.p99_ms);
  EXPECT_GT(predict(batches(), {.arrival_rate = 401}).utilisation, 1);
}

TEST_F(PolicyTest, SlownessIsAgainstABatchOfTheSameSize) {
  Observation small = observe({.service_ms = 8});
  small.mean_batch = 2;
  EXPECT_NEAR(slowness_of(small, batches()), 1, 0.05);
  Observation slow = observe({.service_ms = 16});
  slow.mean_batch = 2;
  EXPECT_NEAR(slowness_of(slow, batches()), 2, 0.1);
}

TEST_F(PolicyTest, BatchesOfUnknownSizeOnlyTellThatTheyAreSlow) {
  verify::Point unknown = batches();
  unknown.single_ms = 0;
  Forecast forecast;
  forecast.add(observe({.service_ms = 40}), unknown);
  const double slow = forecast.slowness();
  EXPECT_GT(slow, 1.2);
  forecast.add(observe({.service_ms = 7}), unknown);
  EXPECT_DOUBLE_EQ(forecast.slowness(), slow);
}

// In this world the variant that theory prefers is the worse one.
TEST_F(PolicyTest, TheBanditLearnsWhatTheoryDoesNotKnow) {
  const auto policy = make_bandit();
  const std::map<std::string, model::Variant> known = {{quick().id(), quick()},
                                                       {wide().id(), wide()}};
  model::Variant serving = quick();
  int at_wide = 0;
  for (int i = 0; i < 200; ++i) {
    const bool good = serving == wide();
    at_wide += good ? 1 : 0;
    const Choice choice = decide(
        *policy, {.rate = 60, .latency_ms = good ? 20.0 : 75.0, .service_ms = good ? 15.0 : 10.0},
        serving);
    if (choice.change) serving = known.at(choice.variant);
  }
  EXPECT_GT(at_wide, 180);
}

TEST_F(PolicyTest, TheBanditExploresNothingThatIsExpectedNotToCarryTheLoad) {
  const auto policy = make_bandit();
  for (int i = 0; i < 100; ++i) {
    const Choice choice = decide(*policy, {.rate = 95, .latency_ms = 30, .service_ms = 15}, wide());
    EXPECT_FALSE(choice.change && choice.variant == quick().id()) << choice.reason;
  }
}

}  // namespace
}  // namespace tachostat::govern

#include "app/optimize/promises.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tachostat::app {
namespace {

using diagnose::Objective;
using diagnose::Remedy;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

diagnose::Finding finding(const std::string& rule, std::vector<Remedy> remedies, double low,
                          double high, Objective objective = Objective::kLatency) {
  diagnose::Finding one;
  one.rule = rule;
  one.summary = rule + " costs";
  one.remedies = std::move(remedies);
  one.gain_low = low;
  one.gain_high = high;
  one.objective = objective;
  return one;
}

// Twelve rounds that differ by 1 %.
std::vector<double> rounds(double ms) {
  std::vector<double> times;
  for (int i = 0; i < 12; ++i) times.push_back(ms * (i % 2 == 0 ? 1.005 : 0.995));
  return times;
}

Ran ran(const std::string& name, model::Variant variant, double ms) {
  variant.engine = "fake";
  return {name, std::move(variant), rounds(ms), rounds(ms)};
}

model::Recipe recipe(const std::vector<std::string>& passes) {
  std::vector<model::Recipe::Step> steps;
  for (const std::string& pass : passes) steps.push_back({pass, "{}"});
  return *model::Recipe::Create("recipe", steps);
}

const model::InputShapes kFixed = {{"x", {1, 3}}};

std::vector<Ran> usual_ways() {
  return {ran("default", {}, 100), ran("fixed", {.shapes = kFixed}, 90),
          ran("rewritten", {.shapes = kFixed, .recipe = recipe({"squeeze"})}, 80),
          ran("int8", {.shapes = kFixed, .recipe = recipe({"squeeze", "quantise"})}, 45),
          ran("streams", {.threads = 2, .streams = 2, .shapes = kFixed}, 60)};
}

TEST(Promises, ARemedyThatRanIsHeldAgainstWhatItChanged) {
  const auto promises =
      weigh({finding("open-shapes", {Remedy::kStaticShapes}, 0.05, 0.2)}, usual_ways(), 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_EQ(promises[0].against, "default");
  EXPECT_EQ(promises[0].tried, "fixed");
  EXPECT_NEAR(promises[0].gain, 0.1, 0.01);
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kHeld);
}

TEST(Promises, GainsAreSharesOfTheDefaultsTime) {
  // From what is written alike but not quantised, 80, to 45: 35 of the default's 100.
  const auto promises =
      weigh({finding("compute-bound", {Remedy::kQuantise}, 0.5, 0.6)}, usual_ways(), 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_EQ(promises[0].against, "rewritten");
  EXPECT_NEAR(promises[0].gain, 0.35, 0.01);
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kLess);
}

TEST(Promises, FindingsThatAskForTheSameShareOne) {
  const auto promises = weigh({finding("compute-bound", {Remedy::kQuantise}, 0.1, 0.2),
                               finding("memory-bound", {Remedy::kQuantise}, 0.05, 0.1)},
                              usual_ways(), 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_THAT(promises[0].rules, ElementsAre("compute-bound", "memory-bound"));
  EXPECT_NEAR(promises[0].promised_low, 0.15, 1e-9);
  EXPECT_NEAR(promises[0].promised_high, 0.3, 1e-9);
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kMore);
}

TEST(Promises, TheNextRemedyAnswersWhereTheFirstCannot) {
  const auto promises = weigh(
      {finding("reorders", {Remedy::kPrune, Remedy::kKeepLayout}, 0.05, 0.2)}, usual_ways(), 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_EQ(promises[0].remedy, "keep-layout");
  EXPECT_EQ(promises[0].tried, "rewritten");
  EXPECT_EQ(promises[0].against, "fixed");
}

TEST(Promises, ThroughputIsHeldAgainstBusyStreams) {
  std::vector<Ran> ways = usual_ways();
  ways[4].latency_ms = rounds(500);
  const auto promises = weigh(
      {finding("idle-workers", {Remedy::kThreadsAndStreams}, 0.2, 0.4, Objective::kThroughput)},
      ways, 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_EQ(promises[0].against, "fixed");
  EXPECT_EQ(promises[0].tried, "streams");
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kHeld);
}

TEST(Promises, WhatNothingAnswersStaysOpen) {
  std::vector<Ran> ways = usual_ways();
  ways[3].latency_ms.clear();  // refused before it was raced
  const auto promises = weigh({finding("power", {Remedy::kCooling}, 0.1, 0.2),
                               finding("compute-bound", {Remedy::kQuantise}, 0.3, 0.6)},
                              ways, 0);
  ASSERT_EQ(promises.size(), 2);
  EXPECT_EQ(promises[0].remedy, "quantise");
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kOpen);
  EXPECT_EQ(promises[0].tried, "");
  EXPECT_EQ(promises[1].remedy, "cooling");
}

TEST(Promises, TooFewRoundsLeaveItOpen) {
  std::vector<Ran> ways = usual_ways();
  for (Ran& one : ways) one.latency_ms.resize(1);
  const auto promises =
      weigh({finding("open-shapes", {Remedy::kStaticShapes}, 0.05, 0.2)}, ways, 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_EQ(promises[0].tried, "fixed");
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kOpen);
}

TEST(Promises, AnIntervalWiderThanThePromiseLeavesItOpen) {
  std::vector<Ran> ways = usual_ways();
  for (std::size_t i = 0; i < ways[1].latency_ms.size(); ++i) {
    ways[1].latency_ms[i] = i % 2 == 0 ? 60 : 130;
  }
  const auto promises =
      weigh({finding("open-shapes", {Remedy::kStaticShapes}, 0.05, 0.1)}, ways, 0);
  ASSERT_EQ(promises.size(), 1);
  EXPECT_LT(promises[0].gain_low, 0.05);
  EXPECT_GT(promises[0].gain_high, 0.1);
  EXPECT_EQ(promises[0].verdict, Promise::Verdict::kOpen);
}

TEST(Promises, AFindingThatPromisesNothingIsNone) {
  EXPECT_THAT(weigh({finding("drift", {Remedy::kRecalibrate}, 0, 0)}, usual_ways(), 0), IsEmpty());
}

}  // namespace
}  // namespace tachostat::app

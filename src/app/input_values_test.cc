#include "app/input_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "diagnose/diagnose.h"
#include "engine/fake/fake.h"

namespace tachostat::app {
namespace {

using testing::IsEmpty;

std::vector<engine::Tensor> request(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return {engine::f32_tensor("x", std::move(values), {1, size})};
}

Readings of(const InputValues& values) {
  Readings readings;
  values.fill(readings);
  return readings;
}

TEST(InputValues, TellMeanAndDeviationOfAllRequests) {
  InputValues values;
  values.add(request({1, 3}));
  values.add(request({5, 7}));
  const auto readings = of(values);
  EXPECT_NEAR(readings.at("input/x/mean").mean, 4, 1e-9);
  EXPECT_NEAR(readings.at("input/x/mean").low, 2, 1e-9);
  EXPECT_NEAR(readings.at("input/x/mean").high, 6, 1e-9);
  EXPECT_EQ(readings.at("input/x/mean").n, 2U);
  EXPECT_NEAR(readings.at("input/x/deviation").mean, std::sqrt(5), 1e-9);
}

TEST(InputValues, LookAtPartsOfALargeTensorAllOverIt) {
  InputValues values;
  std::vector<float> large(1'000'000, 1);
  std::fill(large.begin() + 500'000, large.end(), 3.0F);
  values.add(request(std::move(large)));
  EXPECT_NEAR(of(values).at("input/x/mean").mean, 2, 0.05);
}

TEST(InputValues, ThePastFades) {
  InputValues values;
  for (std::uint64_t i = 0; i < InputValues::kKept; ++i) values.add(request({0}));
  EXPECT_EQ(of(values).at("input/x/mean").n, InputValues::kKept / 2);
  for (std::uint64_t i = 0; i < 4 * InputValues::kKept; ++i) values.add(request({1}));
  EXPECT_GT(of(values).at("input/x/mean").mean, 0.99);
}

TEST(InputValues, WhatIsNoNumberIsLeftOut) {
  InputValues values;
  values.add(request({std::numeric_limits<float>::quiet_NaN(), 1}));
  values.add(request({}));
  EXPECT_THAT(of(values), IsEmpty());
}

TEST(InputValues, DriftIsFound) {
  const auto profile_with = [](float low, float high) {
    InputValues values;
    for (int i = 0; i < 50; ++i) values.add(request({low, high}));
    profile::Profile profile;
    values.fill(profile.readings);
    return profile;
  };
  const auto then = profile_with(0, 1);
  const auto speaks = [&](const profile::Profile& now) {
    const auto findings = diagnose::diagnose(now, {}, &then);
    return findings.size() == 1 && findings[0].rule == "value-drift";
  };
  EXPECT_TRUE(speaks(profile_with(0.5, 1.5)));
  EXPECT_FALSE(speaks(profile_with(0.1F, 1.1F)));
}

}  // namespace
}  // namespace tachostat::app

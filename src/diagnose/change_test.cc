#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::HasSubstr;

constexpr int kSlices = 20;
constexpr int kPerSlice = 20;

// Times that scatter by one percent about `before`, and about `after` from `at` slices on.
void record(base::Histogram& time, std::vector<profile::Slice>& slices, double before, double after,
            int at) {
  time.clear();
  slices.clear();
  for (int slice = 0; slice < kSlices; ++slice) {
    slices.push_back({});
    for (int i = 0; i < kPerSlice; ++i) {
      const double scatter = 1 + 0.01 * ((slice * 7 + i * 3) % 5 - 2) / 2.0;
      const auto ns = static_cast<std::uint64_t>((slice < at ? before : after) * scatter);
      time.record(ns);
      slices.back().count += 1;
      slices.back().sum_ns += ns;
    }
  }
}

struct Step {
  double before = 0;
  double after = 0;
};

// "conv" and "pool", whose times change at slice `at`.
Profile stepping(Step conv, Step pool, int at) {
  Profile profile = profile_of({node("conv", "Convolution", 0), node("pool", "MaxPool", 0, {0})});
  record(profile.request_time, profile.slices, conv.before + pool.before, conv.after + pool.after,
         at);
  record(profile.layers[0].time, profile.layers[0].slices, conv.before, conv.after, at);
  record(profile.layers[1].time, profile.layers[1].slices, pool.before, pool.after, at);
  for (LayerProfile& one : profile.layers) {
    one.share =
        static_cast<double>(one.time.sum()) / static_cast<double>(profile.request_time.sum());
  }
  profile.unattributed_ns = 0;
  return profile;
}

Profile steady(double conv, double pool) { return stepping({conv, conv}, {pool, pool}, kSlices); }

TEST(Regression, LayersThatBecameSlowerAreFound) {
  const Profile before = steady(6e6, 4e6);
  const auto finding = said("regression", steady(9e6, 4e6), machine(), &before);
  expect_found(finding, {"regression", {"conv"}, 9.0 / 13, Objective::kLatency, {Remedy::kGoBack}});
  EXPECT_TRUE(finding->alarm);
  EXPECT_NEAR(finding->gain_high, 3.0 / 13, 0.01);
  EXPECT_THAT(finding->summary, HasSubstr("'conv' 1."));
}

TEST(Regression, TheFactorIsTheNamedLayers) {
  const Profile before = steady(8e6, 2e6);
  const auto finding = said("regression", steady(8e6, 4e6), machine(), &before);
  ASSERT_TRUE(finding.has_value());
  EXPECT_THAT(finding->summary, HasSubstr("'pool' 2.00 times"));
}

TEST(Regression, SmallChangesFasterOnesAndNoBaselineAreNot) {
  const Profile before = steady(6e6, 4e6);
  EXPECT_FALSE(speaks("regression", steady(6.1e6, 4.05e6), machine(), &before));
  EXPECT_FALSE(speaks("regression", steady(5e6, 4e6), machine(), &before));
  EXPECT_FALSE(speaks("regression", steady(9e6, 4e6)));
}

TEST(SlowerSince, AStepInTimeIsFoundWithItsLayers) {
  const auto finding = said("slower-since", stepping({6e6, 9e6}, {4e6, 4e6}, 10));
  expect_found(finding, {"slower-since",
                         {"conv"},
                         15.0 / 23,
                         Objective::kLatency,
                         {Remedy::kNeighbours, Remedy::kGoBack}});
  EXPECT_TRUE(finding->alarm);
  // 3 ms of half of the requests.
  EXPECT_NEAR(finding->gain_high, 3.0 / 23, 0.01);
  EXPECT_THAT(finding->summary, HasSubstr("at 50 % of the time"));
}

TEST(SlowerSince, SmallStepsFasterOnesAndSteadyTimesAreNot) {
  EXPECT_FALSE(speaks("slower-since", stepping({6e6, 7.4e6}, {4e6, 4e6}, 10)));
  EXPECT_TRUE(speaks("slower-since", stepping({6e6, 7.6e6}, {4e6, 4e6}, 10)));
  EXPECT_FALSE(speaks("slower-since", stepping({9e6, 6e6}, {4e6, 4e6}, 10)));
  EXPECT_FALSE(speaks("slower-since", steady(6e6, 4e6)));
}

Profile shapes(double small, double large, std::uint64_t n) {
  Profile profile = reading_profile({{"shape/x[1,64]", small}, {"shape/x[1,512]", large}});
  for (auto& [name, reading] : profile.readings) reading.n = n;
  return profile;
}

TEST(ShapeDrift, OtherShapesThanBeforeAreFound) {
  const Profile before = shapes(0.9, 0.1, 100);
  const auto finding = said("shape-drift", shapes(0.4, 0.6, 100), machine(), &before);
  expect_found(finding, {"shape-drift",
                         {},
                         0.5,
                         Objective::kLatency,
                         {Remedy::kShapeBuckets, Remedy::kStaticShapes}});
  EXPECT_TRUE(finding->alarm);
  EXPECT_THAT(finding->summary, HasSubstr("x[1,512]"));
  EXPECT_FALSE(speaks("shape-drift", shapes(0.71, 0.29, 100), machine(), &before));
  EXPECT_FALSE(speaks("shape-drift", shapes(0.4, 0.6, 49), machine(), &before));
  EXPECT_FALSE(speaks("shape-drift", shapes(0.4, 0.6, 100)));
}

Profile values(double mean, double deviation) {
  return reading_profile({{"input/x/mean", mean}, {"input/x/deviation", deviation}});
}

TEST(ValueDrift, MovedOrWiderValuesRaiseAnAlarmAndPromiseNothing) {
  const Profile before = values(10, 2);
  const auto finding = said("value-drift", values(13, 2), machine(), &before);
  ASSERT_TRUE(finding.has_value());
  expect_sane(*finding);
  EXPECT_TRUE(finding->alarm);
  EXPECT_EQ(finding->gain_high, 0);
  EXPECT_THAT(kinds_of(*finding), testing::ElementsAre(Remedy::kRecalibrate));
  EXPECT_THAT(finding->summary, HasSubstr("'x' have moved by 1.50"));
  EXPECT_TRUE(speaks("value-drift", values(10, 3.1), machine(), &before));
  EXPECT_TRUE(speaks("value-drift", values(10, 1.2), machine(), &before));
}

TEST(ValueDrift, AboutTheSameValuesAreNot) {
  const Profile before = values(10, 2);
  EXPECT_FALSE(speaks("value-drift", values(10.9, 2.9), machine(), &before));
  EXPECT_FALSE(speaks("value-drift", values(9.1, 1.4), machine(), &before));
  EXPECT_FALSE(speaks("value-drift", values(13, 2)));
  Profile few = values(13, 2);
  for (auto& [name, reading] : few.readings) reading.n = 29;
  EXPECT_FALSE(speaks("value-drift", few, machine(), &before));
}

}  // namespace
}  // namespace tachostat::diagnose

#include "govern/scaling.h"

#include <gtest/gtest.h>

#include "govern/predict.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

verify::Point point(double service_ms, int streams = 1, double drop = 0) {
  return {.variant = {.threads = 2, .streams = streams},
          .service_ms = service_ms,
          .capacity = streams * 1e3 / service_ms,
          .drop_bound = drop};
}

Observation seen(double rate, double service_ms) {
  Observation observation;
  observation.begin = base::Time(seconds(1));
  observation.end = base::Time(seconds(11));
  observation.arrivals = observation.answered = static_cast<std::uint64_t>(rate * 10);
  observation.service.record(static_cast<std::uint64_t>(service_ms * 1e6), observation.answered);
  return observation;
}

TEST(Scaling, TheRateIsTheHighestThatHoldsTheTarget) {
  const Targets targets{.p99 = milliseconds(40)};
  const double rate = sustainable_rate(point(10), targets, 1, 1);
  EXPECT_GT(rate, 20);
  EXPECT_LT(rate, 100);
  EXPECT_LE(predict(point(10), {.arrival_rate = rate}).p99_ms, 40.001);
  EXPECT_GT(predict(point(10), {.arrival_rate = rate * 1.01}).p99_ms, 40);
}

TEST(Scaling, ASlowMachineCarriesLessAndALongServiceNothing) {
  const Targets targets{.p99 = milliseconds(40)};
  EXPECT_LT(sustainable_rate(point(10), targets, 1, 2), sustainable_rate(point(10), targets, 1, 1));
  EXPECT_EQ(sustainable_rate(point(50), targets, 1, 1), 0);
}

TEST(Scaling, WithoutATargetItIsMostOfTheCapacity) {
  EXPECT_DOUBLE_EQ(sustainable_rate(point(10), {}, 1, 1), 90);
}

TEST(Scaling, AsksForAsManyAsTheLoadNeedsWithAReserve) {
  verify::Frontier frontier;
  frontier.add(point(10));
  const std::string serving = point(10).variant.id();
  const auto calm = scaling_of(seen(20, 10), frontier, {}, serving);
  ASSERT_TRUE(calm.has_value());
  EXPECT_EQ(calm->desired_replicas, 1);
  EXPECT_NEAR(calm->headroom, 1 - 20.0 / 90, 0.01);
  const auto busy = scaling_of(seen(200, 10), frontier, {}, serving);
  EXPECT_EQ(busy->desired_replicas, 3);
  EXPECT_LT(busy->headroom, 0);
}

TEST(Scaling, CountsOnTheBestVariantThatTheTargetAllows) {
  verify::Frontier frontier;
  frontier.add(point(10));
  verify::Point wrong = point(2, 2, 0.5);
  frontier.add(wrong);
  const auto scaling = scaling_of(seen(20, 10), frontier, {}, point(10).variant.id());
  EXPECT_DOUBLE_EQ(scaling->capacity, 90);
}

TEST(Scaling, KnowsThatTheMachineIsSlowerThanWhenItWasMeasured) {
  verify::Frontier frontier;
  frontier.add(point(10));
  const auto scaling = scaling_of(seen(20, 20), frontier, {}, point(10).variant.id());
  EXPECT_NEAR(scaling->capacity, 45, 2);
}

TEST(Scaling, SaysNothingBeforeAnythingWasMeasured) {
  verify::Frontier frontier;
  frontier.add({.variant = {.threads = 2}});
  EXPECT_FALSE(scaling_of(seen(20, 10), frontier, {}, "").has_value());
}

}  // namespace
}  // namespace tachostat::govern

#include "simulate/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tachostat::simulate {
namespace {

using std::chrono::seconds;

std::vector<double> times_of(const Arrivals& law, base::Duration duration, std::uint64_t seed = 1) {
  const auto stream = make_stream(law, duration, Random(seed, "test"));
  std::vector<double> times;
  while (const auto at = stream->next()) times.push_back(base::to_seconds(*at));
  return times;
}

double count_between(const std::vector<double>& times, double from, double to) {
  double count = 0;
  for (const double at : times) count += at >= from && at < to ? 1 : 0;
  return count;
}

// Variance ÷ mean of counts in slices of a second; 1 for a Poisson process.
double dispersion(const std::vector<double>& times, std::size_t length) {
  std::vector<double> counts(length);
  for (const double at : times) counts[static_cast<std::size_t>(at)] += 1;
  double sum = 0, squares = 0;
  for (const double count : counts) {
    sum += count;
    squares += count * count;
  }
  const double mean = sum / static_cast<double>(length);
  return (squares / static_cast<double>(length) - mean * mean) / mean;
}

TEST(Arrivals, PoissonHasItsRateAndIsAsDispersedAsItsMean) {
  const auto times = times_of({.rate = 100}, seconds(1000));
  EXPECT_NEAR(static_cast<double>(times.size()), 100'000, 1500);
  EXPECT_NEAR(dispersion(times, 1000), 1, 0.2);
}

TEST(Arrivals, TheSameSeedGivesTheSameTimesAndAnotherOnesOthers) {
  EXPECT_EQ(times_of({.rate = 10}, seconds(100)), times_of({.rate = 10}, seconds(100)));
  EXPECT_NE(times_of({.rate = 10}, seconds(100)), times_of({.rate = 10}, seconds(100), 2));
}

TEST(Arrivals, MarkovModulatedIsBurstyWithTheMeanOfItsStates) {
  const Arrivals law{
      .kind = Arrivals::Kind::kMarkov, .rates = {20, 180}, .stays = {seconds(3), seconds(3)}};
  const auto times = times_of(law, seconds(6000));
  EXPECT_NEAR(static_cast<double>(times.size()) / 6000, 100, 8);
  EXPECT_GT(dispersion(times, 6000), 10);
}

TEST(Arrivals, ParetoHasItsRateAndGapsFarOverTheMean) {
  const Arrivals law{.kind = Arrivals::Kind::kPareto, .rate = 100, .shape = 2.5};
  const auto times = times_of(law, seconds(1000));
  EXPECT_NEAR(static_cast<double>(times.size()), 100'000, 5000);
  double longest = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    longest = std::max(longest, times[i] - times[i - 1]);
  }
  EXPECT_GT(longest, 0.3);  // 30 mean gaps; a Poisson process reaches 12
}

TEST(Arrivals, ARampGrowsAndADaySwings) {
  const auto ramp =
      times_of({.kind = Arrivals::Kind::kRamp, .rate = 0, .to_rate = 200}, seconds(100));
  EXPECT_NEAR(count_between(ramp, 0, 50), 2500, 250);
  EXPECT_NEAR(count_between(ramp, 50, 100), 7500, 400);
  const Arrivals law{
      .kind = Arrivals::Kind::kDiurnal, .rate = 100, .swing = 0.8, .period = seconds(100)};
  const auto day = times_of(law, seconds(100));
  EXPECT_GT(count_between(day, 15, 35), 2 * count_between(day, 65, 85));
}

TEST(Arrivals, OnlyWithinTheirTime) {
  const auto times = times_of({.begin = seconds(10), .end = seconds(20), .rate = 50}, seconds(60));
  ASSERT_FALSE(times.empty());
  EXPECT_GE(times.front(), 10);
  EXPECT_LT(times.back(), 20);
}

TEST(Arrivals, AReplayIsWhatWasRecorded) {
  const Arrivals law{.kind = Arrivals::Kind::kReplay,
                     .begin = seconds(1),
                     .times = {seconds(0), seconds(2), seconds(200)}};
  EXPECT_EQ(times_of(law, seconds(60)), (std::vector<double>{1, 3}));
}

}  // namespace
}  // namespace tachostat::simulate

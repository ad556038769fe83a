#include "app/optimize/line_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/optimize/race.h"
#include "app/optimize/timed_engine_test_support.h"
#include "store/store.h"

namespace tachostat::app {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// A request takes as many milliseconds as its variant has threads; its clock moves by that.
class LineUpTest : public ::testing::Test {
 protected:
  std::vector<model::Variant> variants(const std::vector<int>& milliseconds) {
    std::vector<model::Variant> all;
    for (const int one : milliseconds) all.push_back({.engine = "fake", .threads = one});
    return all;
  }
  std::vector<std::size_t> rounds_of(const std::vector<Lap>& laps) {
    std::vector<std::size_t> rounds;
    for (const Lap& lap : laps) rounds.push_back(lap.ms.size());
    return rounds;
  }
  std::vector<Lap> line(const std::vector<int>& milliseconds, const LineUpOptions& options) {
    const auto all = variants(milliseconds);
    const auto laps = line_up(clock_, engine_, graph_, all, inputs_, options);
    EXPECT_TRUE(laps.ok()) << laps.status();
    return laps.ok() ? *laps : std::vector<Lap>();
  }

  base::ManualClock clock_;
  TimedEngine engine_{
      clock_,
      [](const model::Variant& variant) { return std::chrono::milliseconds(variant.threads); },
      1000};
  const model::Graph graph_ = engine::identity_graph();
  const std::vector<engine::Tensor> inputs_ = {engine::f32_tensor("x", {1, 2, 3, 4}, {1, 4})};
};

TEST_F(LineUpTest, MeasuresEachInEveryRound) {
  const auto laps = line({2, 5}, {.rounds = 8});
  EXPECT_THAT(rounds_of(laps), ElementsAre(8, 8));
  EXPECT_THAT(laps[0].ms, Each(2));
  EXPECT_THAT(laps[1].ms, Each(5));
  EXPECT_EQ(laps[0].memory_bytes, 1000);
}

TEST_F(LineUpTest, EnergyIsPerRequestOfTheRoundsThatWereMeasured) {
  // A watt, whoever runs; every third reading fails.
  int readings = 0;
  const auto joules = [&]() -> std::optional<double> {
    if (++readings % 3 == 0) return std::nullopt;
    return std::chrono::duration<double>(clock_.now().time_since_epoch()).count();
  };
  const auto laps = line({2, 5}, {.rounds = 8, .joules = joules});
  EXPECT_GT(laps[0].joules.size(), 1);
  EXPECT_LT(laps[0].joules.size(), 8);
  for (const double one : laps[0].joules) EXPECT_NEAR(one, 0.002, 1e-9);
  for (const double one : laps[1].joules) EXPECT_NEAR(one, 0.005, 1e-9);
  EXPECT_THAT(line({2}, {.rounds = 2})[0].joules, ::testing::IsEmpty());
}

TEST_F(LineUpTest, TheSlowerHalfLeavesTwice) {
  // One baseline and four rivals: after 2 rounds 40 and 30 leave, after 4 rounds 20 does.
  const auto laps = line({100, 10, 20, 30, 40}, {.rounds = 8, .stay = 1});
  EXPECT_THAT(rounds_of(laps), ElementsAre(8, 8, 4, 2, 2));
}

TEST_F(LineUpTest, WhatIsNearlyAsFastStays) {
  const auto laps = line({50, 100, 102, 103, 104}, {.rounds = 8, .stay = 1});
  EXPECT_THAT(rounds_of(laps), ElementsAre(8, 8, 4, 2, 2)) << "the baseline is faster than all";
  const auto near = line({150, 100, 102, 103, 104}, {.rounds = 8, .stay = 1});
  EXPECT_THAT(rounds_of(near), ElementsAre(8, 8, 8, 8, 8));
}

TEST_F(LineUpTest, ALoneRivalStays) {
  const auto laps = line({10, 100}, {.rounds = 8, .stay = 1});
  EXPECT_THAT(rounds_of(laps), ElementsAre(8, 8));
}

TEST_F(LineUpTest, EndsEarlyWithWhatItHas) {
  const auto laps = line({10, 20}, {.rounds = 8, .progress = [](int done) { return done < 3; }});
  EXPECT_THAT(rounds_of(laps), ElementsAre(3, 3));
}

TEST_F(LineUpTest, ARaceIsRunOnce) {
  const auto store = store::open_memory();
  Journal journal(clock_, *store, "test");
  const Track track{clock_, engine_, graph_, inputs_, journal};
  const auto all = variants({2, 5});
  const auto first = race(track, "racing", all, {.rounds = 4});
  ASSERT_TRUE(first.ok()) << first.status();
  const base::Time after_first = clock_.now();
  const auto again = race(track, "racing", all, {.rounds = 4});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(clock_.now(), after_first);
  EXPECT_EQ((*again)[1].ms, (*first)[1].ms);
  EXPECT_EQ((*again)[1].memory_bytes, 1000);
  EXPECT_TRUE(race(track, "another stage", all, {.rounds = 4}).ok());
  EXPECT_GT(clock_.now(), after_first);
}

TEST_F(LineUpTest, AStoppedRaceIsNotKept) {
  const auto store = store::open_memory();
  Journal journal(clock_, *store, "test");
  Track track{clock_, engine_, graph_, inputs_, journal};
  track.progress = [](std::string_view, double done) { return done < 0.5; };
  const auto all = variants({2, 5});
  EXPECT_EQ(race(track, "racing", all, {.rounds = 4}).status().code(),
            absl::StatusCode::kCancelled);
  track.progress = nullptr;
  const auto whole = race(track, "racing", all, {.rounds = 4});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_THAT(rounds_of(*whole), ElementsAre(4, 4));
}

}  // namespace
}  // namespace tachostat::app

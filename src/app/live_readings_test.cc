#include "app/live_readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/fake/fake.h"
#include "serve/fake_scheduler.h"

namespace tachostat::app {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

constexpr base::Duration kMillisecond = std::chrono::milliseconds(1);

struct Fixture {
  base::ManualClock clock;
  model::Graph graph = engine::identity_graph();
  RecentInputs inputs{clock, std::chrono::seconds(1)};
  serve::FakeScheduler scheduler{graph};
  const schedule::Scheduler* place = &scheduler;
  LiveReadings readings{clock, graph, inputs, place};

  // One inference: its requests waited and computed so long, and the clock moves on to its end.
  void infer(int requests, int queued_ms, int computed_ms, std::string_view variant = "v") {
    const base::Time arrival = clock.now();
    clock.advance((queued_ms + computed_ms) * kMillisecond);
    const schedule::Timing timing{.arrival = arrival,
                                  .dispatched = arrival + queued_ms * kMillisecond,
                                  .done = clock.now(),
                                  .batch = requests};
    for (int i = 0; i < requests; ++i) {
      readings.answered({.timing = timing, .variant = variant, .generation = 1, .ok = true});
    }
  }

  Readings filled(const std::string& variant = "v", int streams = 1) const {
    profile::Profile profile;
    profile.variant = variant;
    profile.streams = streams;
    readings.fill(profile);
    return profile.readings;
  }
};

TEST(LiveReadings, SayHowRequestsReachedTheModel) {
  Fixture fixture;
  fixture.infer(1, 10, 20);
  fixture.infer(3, 30, 20);
  fixture.clock.advance(20 * kMillisecond);  // 100 ms in all
  const auto readings = fixture.filled();
  EXPECT_NEAR(readings.at("serving/queue").mean, 0.025, 1e-9);
  EXPECT_NEAR(readings.at("serving/queue").low, 0.010, 1e-9);
  EXPECT_NEAR(readings.at("serving/queue").high, 0.030, 1e-9);
  EXPECT_EQ(readings.at("serving/queue").n, 4U);
  EXPECT_EQ(readings.at("serving/queue").unit, "s");
  EXPECT_NEAR(readings.at("serving/compute").mean, 0.020, 1e-9);
  EXPECT_NEAR(readings.at("serving/batch").mean, 2, 1e-9);  // of two inferences
  EXPECT_NEAR(readings.at("serving/rate").mean, 40, 1e-9);
  EXPECT_NEAR(readings.at("serving/in_flight").mean, (0.030 + 3 * 0.050) / 0.1, 1e-9);
  EXPECT_NEAR(readings.at("serving/busy_share").mean, 0.4, 1e-9);
  EXPECT_NEAR(fixture.filled("v", 2).at("serving/busy_share").mean, 0.2, 1e-9);
}

TEST(LiveReadings, TellVariantsApart) {
  Fixture fixture;
  fixture.infer(1, 0, 10, "slow");
  fixture.infer(1, 0, 2, "fast");
  EXPECT_NEAR(fixture.filled("fast").at("serving/compute").mean, 0.002, 1e-9);
  EXPECT_THAT(fixture.filled("other"), Not(Contains(Key("serving/compute"))));
  EXPECT_EQ(fixture.filled("other").at("serving/rate").n, 2U);
}

TEST(LiveReadings, ForgetWhatIsOld) {
  Fixture fixture;
  fixture.infer(1, 0, 100);
  for (int i = 0; i < 3; ++i) {
    fixture.clock.advance(ServingWindow::kLength);
    fixture.infer(1, 0, 10);
  }
  const auto readings = fixture.filled();
  EXPECT_EQ(readings.at("serving/compute").n, 2U);
  EXPECT_NEAR(readings.at("serving/compute").high, 0.010, 1e-9);
}

TEST(LiveReadings, StartAnewAfterAPause) {
  Fixture fixture;
  fixture.infer(1, 0, 100);
  fixture.clock.advance(10 * ServingWindow::kLength);
  for (int i = 0; i < 101; ++i) fixture.infer(1, 0, 10);
  EXPECT_NEAR(fixture.filled().at("serving/rate").mean, 101, 1e-6);  // the first ends at zero
}

TEST(LiveReadings, SayNothingOfServingWithoutRequests) {
  const Fixture fixture;
  for (const auto& [name, reading] : fixture.filled()) {
    EXPECT_FALSE(name.starts_with("serving/")) << name;
  }
}

TEST(LiveReadings, KnowTheWire) {
  Fixture fixture;
  fixture.infer(1, 0, 10);
  const std::vector<serve::WantedOutput> all;
  const std::vector<serve::WantedOutput> another = {{.name = "another", .binary = {}}};
  fixture.readings.wired({kMillisecond, 3 * kMillisecond, true, all});
  fixture.readings.wired({3 * kMillisecond, kMillisecond, false, another});
  const auto readings = fixture.filled();
  EXPECT_NEAR(readings.at("serving/decode").mean, 0.002, 1e-9);
  EXPECT_NEAR(readings.at("serving/encode").high, 0.003, 1e-9);
  EXPECT_NEAR(readings.at("serving/json_share").mean, 0.5, 1e-9);
  const std::string output = fixture.graph.outputs.front().name;
  EXPECT_NEAR(readings.at("output/" + output + "/asked").mean, 0.5, 1e-9);
}

TEST(LiveReadings, CountShapes) {
  Fixture fixture;
  for (int i = 0; i < 4; ++i) {
    const std::vector<float> values(i == 0 ? 8 : 4);
    fixture.inputs.seen({engine::f32_tensor("x", values, {i == 0 ? 2 : 1, 4})});
  }
  const auto readings = fixture.filled();
  EXPECT_EQ(readings.at("serving/shapes").mean, 2);
  EXPECT_NEAR(readings.at("shape/x[1,4]").mean, 0.75, 1e-9);
  EXPECT_EQ(readings.at("shape/x[1,4]").n, 4U);
}

TEST(LiveReadings, LookAtEachSnapshotOnceAndKeepWhatTheProfileHas) {
  Fixture fixture;
  probe::SensorSnapshot snapshot{.at = fixture.clock.now(), .polls = 1, .sensors = {}};
  probe::SensorStatus sensor;
  sensor.values.push_back({.reading = {.name = "thermal/cpu", .unit = "Cel", .value = 50},
                           .rate = {},
                           .rate_unit = {},
                           .doubt = {}});
  snapshot.sensors.push_back(sensor);
  for (int i = 0; i < 3; ++i) fixture.readings.look(snapshot);
  EXPECT_EQ(fixture.filled().at("thermal/cpu").n, 1U);
  profile::Profile profile;
  profile.readings["thermal/cpu"].mean = 99;
  fixture.readings.fill(profile);
  EXPECT_EQ(profile.readings.at("thermal/cpu").mean, 99);
}

TEST(LiveReadings, KnowHowValuesLie) {
  Fixture fixture;
  for (int i = 0; i < 3; ++i) {
    fixture.clock.advance(std::chrono::seconds(1));
    fixture.inputs.seen({engine::f32_tensor("x", {0, 2}, {1, 2})});
  }
  const auto readings = fixture.filled();
  EXPECT_EQ(readings.at("input/x/mean").mean, 1);
  EXPECT_EQ(readings.at("input/x/mean").n, 3U);
  EXPECT_EQ(readings.at("input/x/deviation").mean, 1);
}

}  // namespace
}  // namespace tachostat::app

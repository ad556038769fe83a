#include "app/model_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "engine/fake/fake.h"
#include "probe/fake_span_source.h"

namespace tachostat::app {
namespace {

using testing::HasSubstr;

struct Fixture {
  base::ManualClock clock;
  engine::FakeEngine engine{{.mode = engine::FakeEngine::Mode::kThreads, .clock = &clock}};
  probe::FakeSpanSource spans;
  std::unique_ptr<store::Store> store = store::open_memory();

  absl::StatusOr<std::unique_ptr<ModelServer>> create(ModelOptions options = {}) {
    return ModelServer::Create(clock, engine, spans, store.get(), engine::identity_graph(),
                               std::move(options));
  }
};

absl::StatusOr<std::vector<float>> answer(ModelServer& server, const std::vector<float>& values) {
  std::promise<absl::StatusOr<schedule::Response>> promise;
  schedule::Request request;
  request.inputs = {engine::f32_tensor("x", values, {1, 4})};
  request.done = [&](absl::StatusOr<schedule::Response> response) {
    promise.set_value(std::move(response));
  };
  server.scheduler().submit(std::move(request));
  absl::StatusOr<schedule::Response> response = promise.get_future().get();
  if (!response.ok()) return response.status();
  return engine::f32_values(response->outputs.front());
}

TEST(ModelServer, AnswersBeforeTheEvidencePlaneRuns) {
  Fixture fixture;
  const auto server = fixture.create();
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(*answer(**server, {1, 2, 3, 4}), (std::vector<float>{1, 2, 3, 4}));
}

TEST(ModelServer, AnswersAfterTheEvidencePlaneStopped) {
  Fixture fixture;
  const auto server = fixture.create();
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->start_evidence();
  EXPECT_TRUE(answer(**server, {1, 2, 3, 4}).ok());
  (*server)->stop_evidence();
  for (float i = 0; i < 100; ++i) {
    EXPECT_EQ(*answer(**server, {i, 0, 0, 0}), (std::vector<float>{i, 0, 0, 0}));
  }
  EXPECT_EQ((*server)->scheduler().statistics().succeeded, 101U);
  // And it may come back.
  (*server)->start_evidence();
  EXPECT_TRUE(answer(**server, {1, 2, 3, 4}).ok());
}

TEST(ModelServer, HasReadingsForProfiles) {
  Fixture fixture;
  auto snapshot = std::make_shared<probe::SensorSnapshot>();
  snapshot->polls = 1;
  probe::SensorStatus sensor;
  sensor.values.push_back({.reading = {.name = "thermal/cpu", .unit = "Cel", .value = 50},
                           .rate = {},
                           .rate_unit = {},
                           .doubt = {}});
  snapshot->sensors.push_back(std::move(sensor));
  ModelOptions options;
  std::promise<void> looked_twice;
  std::atomic<int> looks = 0;
  options.sensors = [&]() -> std::shared_ptr<const probe::SensorSnapshot> {
    if (++looks == 2) looked_twice.set_value();  // so the first one is in
    fixture.clock.advance(std::chrono::seconds(1));
    return snapshot;
  };
  const auto server = fixture.create(std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE(answer(**server, {1, 2, 3, 4}).ok());
  (*server)->start_evidence();
  looked_twice.get_future().wait();
  (*server)->stop_evidence();
  profile::Profile profile;
  profile.variant = (*server)->governor().state().variant;
  (*server)->readings().fill(profile);
  EXPECT_EQ(profile.readings.at("thermal/cpu").mean, 50);
  EXPECT_EQ(profile.readings.at("serving/compute").n, 1U);
  EXPECT_EQ(profile.readings.at("serving/batch_limit").mean, 1);
  EXPECT_EQ(profile.readings.at("serving/shapes").mean, 1);
}

TEST(ModelServer, AnswersWithoutAnySpans) {
  Fixture fixture;
  fixture.spans.set_status(absl::UnavailableError("no collector"));
  const auto server = fixture.create();
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->start_evidence();
  EXPECT_TRUE(answer(**server, {1, 2, 3, 4}).ok());
}

TEST(ModelServer, KeepsTheStartAsADecision) {
  Fixture fixture;
  ModelOptions options;
  options.name = "mine";
  const auto server = fixture.create(std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ((*server)->name(), "mine");
  const auto decisions = (*server)->decisions().decisions();
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_EQ(decisions[0].kind, "start");
  EXPECT_EQ(fixture.store->latest("decision", "mine", 10)->size(), 1U);
}

TEST(ModelServer, SaysWhyTheStartVariantDoesNotLoad) {
  Fixture fixture;
  engine::FakeEngine broken(
      {.mode = engine::FakeEngine::Mode::kThreads, .on_load = [](const auto&, const auto&) {
         return absl::InvalidArgumentError("no such device: GPU.7");
       }});
  const auto server = ModelServer::Create(fixture.clock, broken, fixture.spans, nullptr,
                                          engine::identity_graph(), {});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("GPU.7"));
}

}  // namespace
}  // namespace tachostat::app

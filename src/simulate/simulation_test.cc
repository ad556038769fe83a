#include <gtest/gtest.h>

#include "simulate/simulate.h"

namespace tachostat::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SimulatedVariant variant(const std::string& name, base::Duration service) {
  return {.name = name,
          .service = {.by_batch = {service}, .noise = 0.05},
          .threads = 2,
          .load_time = milliseconds(100)};
}

Scenario scenario(double rate) {
  Scenario made;
  made.name = "test";
  made.duration = seconds(30);
  made.warm_up = seconds(2);
  made.cores = 2;
  SimulatedModel model;
  model.name = "net";
  model.targets.p99 = milliseconds(60);
  model.policy = "fixed";
  model.start = "first";
  model.classes = {{.name = "all"}};
  model.variants = {variant("first", milliseconds(10))};
  model.arrivals = {{.rate = rate}};
  made.models = {model};
  return made;
}

ModelReport run(const Scenario& made) {
  const absl::StatusOr<Report> report = simulate(made);
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? report->models[0] : ModelReport();
}

TEST(Simulation, AnswersEverythingInTimeUnderALightLoad) {
  const ModelReport report = run(scenario(20));
  EXPECT_GT(report.arrivals, 400U);
  EXPECT_EQ(report.answered, report.arrivals);
  EXPECT_EQ(report.lost, 0U);
  EXPECT_GT(report.attainment(), 0.99);
  EXPECT_NEAR(static_cast<double>(report.latency.quantile(0.5)) / 1e6, 10, 1.5);
}

TEST(Simulation, IsTheSameForTheSameSeedAndAnotherForAnother) {
  Scenario made = scenario(80);
  const std::string one = to_json(*simulate(made));
  EXPECT_EQ(one, to_json(*simulate(made)));
  made.seed = 2;
  EXPECT_NE(one, to_json(*simulate(made)));
}

TEST(Simulation, AQueueAnswersLateWhatSheddingRefuses) {
  Scenario made = scenario(150);  // half more than there is capacity for
  const ModelReport queued = run(made);
  made.models[0].shed = true;
  const ModelReport shed = run(made);
  EXPECT_LT(queued.attainment(), 0.1);
  EXPECT_GT(shed.refused, 500U);
  EXPECT_GT(shed.of_bound(), 0.85);
  EXPECT_EQ(shed.lost + queued.lost, 0U);
}

TEST(Simulation, NothingExceedsTheBound) {
  for (const double rate : {50.0, 100.0, 200.0}) {
    Scenario made = scenario(rate);
    made.models[0].shed = true;
    EXPECT_LE(run(made).of_bound(), 1.0) << rate;
  }
}

TEST(Simulation, WhenCoresAreTakenAwayTheGovernorGoesToWhatCarriesMore) {
  Scenario made = scenario(60);
  SimulatedModel& model = made.models[0];
  model.targets.p99 = milliseconds(100);
  model.policy = "predictive";
  model.window = milliseconds(500);
  model.shed = true;
  model.variants.push_back(variant("batches", milliseconds(11)));
  model.variants[1].batch = 4;
  model.variants[1].service.by_batch = {milliseconds(11), milliseconds(14), milliseconds(17),
                                        milliseconds(20)};
  made.events = {
      {.kind = Event::Kind::kCores, .at = seconds(10), .until = seconds(20), .value = 1}};
  const ModelReport report = run(made);
  EXPECT_GE(report.switches, 1U);
  ASSERT_EQ(report.recoveries.size(), 2U);
  ASSERT_TRUE(report.recoveries[0].seconds.has_value());
  EXPECT_LE(*report.recoveries[0].seconds, 4);
  EXPECT_EQ(report.lost, 0U);
}

TEST(Simulation, WhatHangsIsAnsweredWhenTheEngineGoesOnAndNothingIsLost) {
  Scenario made = scenario(20);
  made.events = {{.kind = Event::Kind::kHang, .at = seconds(10), .until = seconds(12)}};
  const ModelReport report = run(made);
  EXPECT_EQ(report.lost, 0U);
  EXPECT_GT(static_cast<double>(report.latency.max()) / 1e6, 1500);
}

TEST(Simulation, WhatHangsForEverIsGivenUpAndAnotherVariantServes) {
  Scenario made = scenario(20);
  made.models[0].least_hang = seconds(1);
  made.models[0].variants.push_back(variant("second", milliseconds(12)));
  made.events = {{.kind = Event::Kind::kHang, .at = seconds(10), .variant = "first"}};
  const ModelReport report = run(made);
  EXPECT_EQ(report.lost, 0U);
  EXPECT_GE(report.failed, 1U);
  EXPECT_LE(report.failed, 3U);
  EXPECT_EQ(report.switches, 1U);
  ASSERT_TRUE(report.recoveries.at(0).seconds.has_value());
  EXPECT_LE(*report.recoveries[0].seconds, 2.5);
}

TEST(Simulation, FailuresAreCounted) {
  Scenario made = scenario(20);
  made.events = {{.kind = Event::Kind::kFail, .at = seconds(10), .until = seconds(20), .value = 1}};
  EXPECT_NEAR(static_cast<double>(run(made).failed), 200, 60);
}

TEST(Simulation, AVariantThatFailsIsLeftForOneThatWorks) {
  Scenario made = scenario(20);
  made.models[0].variants.push_back(variant("second", milliseconds(12)));
  made.events = {{.kind = Event::Kind::kFail,
                  .at = seconds(10),
                  .until = seconds(20),
                  .value = 1,
                  .variant = "first"}};
  const ModelReport report = run(made);
  EXPECT_LT(report.failed, 60U);
  EXPECT_EQ(report.lost, 0U);
}

TEST(Simulation, NodesThatAreDownGetNothing) {
  Scenario made = scenario(100);
  made.nodes = 4;
  made.events = {{.kind = Event::Kind::kDown, .at = seconds(10), .until = seconds(20), .node = 1}};
  const ModelReport report = run(made);
  EXPECT_EQ(report.lost, 0U);
  EXPECT_GT(report.attainment(), 0.98);
}

TEST(Simulation, AClosedLoopNeverHasMoreRequestsThanClients) {
  Scenario made = scenario(1);
  made.models[0].arrivals = {{.kind = Arrivals::Kind::kClosed, .clients = 3}};
  const ModelReport report = run(made);
  EXPECT_NEAR(static_cast<double>(report.answered) / 28, 100, 5);
  EXPECT_LT(static_cast<double>(report.latency.quantile(0.99)) / 1e6, 40);
}

TEST(Simulation, LearningPromotesWhatIsFasterAndNothingElse) {
  Scenario made = scenario(20);
  made.duration = seconds(300);
  made.models[0].learn = govern::Learn::kOn;
  made.models[0].variants.push_back(variant("slower", milliseconds(11)));
  made.models[0].variants.push_back(variant("faster", milliseconds(7)));
  for (SimulatedVariant& each : made.models[0].variants) each.verified = each.name == "first";
  const ModelReport report = run(made);
  EXPECT_EQ(report.promoted, 1U);
  std::uint64_t by_faster = 0, by_slower = 0;
  for (const auto& [name, count] : report.answered_by) {
    if (name == "faster") by_faster = count;
    if (name == "slower") by_slower = count;
  }
  EXPECT_GT(by_faster, 5 * by_slower);
}

TEST(Simulation, ManySeedsAreTheirSumWhateverTheThreads) {
  Scenario made = scenario(50);
  made.duration = seconds(5);
  const auto one = simulate_many(made, 6, 1);
  const auto two = simulate_many(made, 6, 2);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(to_json(*one), to_json(*two));
  EXPECT_EQ(one->seeds, 6U);
  EXPECT_NEAR(static_cast<double>(one->models[0].arrivals), 6 * 3 * 50, 150);
}

TEST(Simulation, StopsWhenAsked) {
  Scenario made = scenario(1000);
  made.duration = std::chrono::hours(1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(simulate(made, {.stop = stop.get_token()}).status().code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace tachostat::simulate

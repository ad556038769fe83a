#include "serve/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/fake_scheduler.h"

namespace tachostat::serve {
namespace {

using ::testing::HasSubstr;

TEST(Infer, MessagesAreCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 1000; ++i) name += "é";
  const std::string text = in_quotes(name);
  EXPECT_LT(text.size(), 150u);
  EXPECT_EQ(text.substr(text.size() - 6), "é…'");
  EXPECT_EQ(in_quotes("a"), "'a'");
  EXPECT_LT(wire_message(absl::InternalError(std::string(100'000, 'x'))).size(), 2000u);
}

TEST(Infer, WantedOutputsMustExistOnce) {
  const model::Graph graph = echo_graph();
  EXPECT_TRUE(check_outputs(graph, {}).ok());
  EXPECT_TRUE(check_outputs(graph, {{.name = "y", .binary = {}}}).ok());
  EXPECT_FALSE(check_outputs(graph, {{.name = "z", .binary = {}}}).ok());
  EXPECT_FALSE(
      check_outputs(graph, {{.name = "y", .binary = {}}, {.name = "y", .binary = {}}}).ok());
}

TEST(Infer, SelectsInTheOrderWanted) {
  std::vector<engine::Tensor> tensors(2);
  tensors[0].name = "a";
  tensors[1].name = "b";
  const auto selected =
      select_outputs({{.name = "b", .binary = {}}, {.name = "a", .binary = {}}}, tensors);
  ASSERT_TRUE(selected.ok());
  EXPECT_EQ((*selected)[0].name, "b");
  EXPECT_EQ(select_outputs({}, tensors)->size(), 2u);
  EXPECT_FALSE(select_outputs({{.name = "c", .binary = {}}}, tensors).ok());
}

TEST(Infer, HugeTimeoutsDoNotOverflow) {
  base::ManualClock clock;
  InferRequest request;
  ASSERT_TRUE(set_request_parameter("timeout", INT64_MAX, request).ok());
  EXPECT_GT(deadline_of(clock, request.timeout), clock.now());
  EXPECT_GT(deadline_of(clock, base::Duration::max()), clock.now());
  EXPECT_EQ(deadline_of(clock, std::nullopt), base::Time::max());
  EXPECT_GT(system_deadline(clock, base::Time::max()), std::chrono::steady_clock::now());
}

TEST(Repository, FindsByNameAndVersion) {
  Repository repository;
  EXPECT_THAT(std::string(repository.find("m", "").status().message()),
              HasSubstr("none is loaded"));
  FakeScheduler scheduler(echo_graph());
  repository.add({.name = "m", .platform = "fake", .graph = echo_graph(), .scheduler = &scheduler});
  EXPECT_TRUE(repository.find("m", "").ok());
  EXPECT_TRUE(repository.find("m", "1").ok());
  EXPECT_TRUE(absl::IsNotFound(repository.find("m", "2").status()));
  EXPECT_THAT(std::string(repository.find("n", "").status().message()), HasSubstr("'m'"));
  // Not there yet is not the same as not there.
  EXPECT_TRUE(absl::IsUnavailable(find_model(repository, "n", "").status()));
  repository.set_ready(true);
  EXPECT_TRUE(absl::IsNotFound(find_model(repository, "n", "").status()));
}

TEST(Metrics, TellsWhatTheSchedulerCountedAndWhoAnswered) {
  base::SystemClock clock;
  Repository repository;
  const Metrics empty(repository);
  EXPECT_EQ(empty.text(), "");
  FakeScheduler scheduler(echo_graph());
  repository.add({.name = "m", .platform = "fake", .graph = echo_graph(), .scheduler = &scheduler});
  Metrics metrics(repository);
  const base::Time start = clock.now();
  for (const int milliseconds : {2, 3, 40}) {
    metrics.answered("m", {.timing = {.arrival = start,
                                      .dispatched = start,
                                      .done = start + std::chrono::milliseconds(milliseconds),
                                      .batch = 1},
                           .variant = "v",
                           .generation = 1,
                           .ok = true});
  }
  metrics.add_gauge("tachostat_test", "A test.", "m", [] { return 0.5; });
  scheduler.submit({.inputs = {}, .done = [](auto) {}});
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE nv_inference_request_success counter"));
  EXPECT_THAT(text, HasSubstr("nv_inference_request_success{model=\"m\",version=\"1\"} 1"));
  EXPECT_THAT(
      text,
      HasSubstr("nv_inference_request_failure{model=\"m\",version=\"1\",reason=\"QUEUE_FULL\"} 0"));
  EXPECT_THAT(text, HasSubstr("nv_inference_pending_request_count{model=\"m\",version=\"1\"} 0"));
  EXPECT_THAT(text, HasSubstr("tachostat_request_duration_seconds_count{model=\"m\"} 3"));
  EXPECT_THAT(text,
              HasSubstr("tachostat_request_duration_seconds_bucket{model=\"m\",le=\"0.005\"} 2"));
  EXPECT_THAT(text, HasSubstr("tachostat_answers_total{model=\"m\",variant=\"v\"} 3"));
  EXPECT_THAT(text, HasSubstr("tachostat_test{model=\"m\"} 0.5"));
}

}  // namespace
}  // namespace tachostat::serve

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedule/scheduler_test_support.h"

namespace tachostat::schedule {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

// Up to 4 together, for at most 5 ms.
model::Plan batching(Bench& bench, const std::string& id) {
  model::Plan plan = bench.plan({id});
  plan.max_batch = 4;
  plan.max_batch_delay = milliseconds(5);
  return plan;
}

TEST(Batching, JoinsAFullBatchAtOnce) {
  Bench bench;
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  std::vector<Answer*> answers;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(bench.engine.queued(), 0u);
    const auto value = static_cast<float>(i);
    answers.push_back(&bench.ask({value, value + 1}));
  }
  EXPECT_EQ(bench.engine.queued(), 1u);
  bench.engine.run_all();
  for (int i = 0; i < 4; ++i) {
    const auto value = static_cast<float>(i);
    EXPECT_THAT(answers[static_cast<std::size_t>(i)]->values, ElementsAre(value, value + 1));
    EXPECT_EQ(answers[static_cast<std::size_t>(i)]->shape, (model::Shape{1, 2}));
    EXPECT_EQ(answers[static_cast<std::size_t>(i)]->timing.batch, 4);
  }
  EXPECT_EQ(bench.scheduler->statistics().executions, 1u);
  EXPECT_EQ(bench.inputs_seen, 4);
  EXPECT_EQ(bench.log, "+1+1+1+1");
}

TEST(Batching, WaitsNoLongerThanTheDelay) {
  Bench bench;
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  const base::Time start = bench.clock.now();
  const Answer& first = bench.ask({1, 2});
  bench.clock.advance(milliseconds(2));
  const Answer& second = bench.ask({3, 4, 5, 6});  // two rows
  EXPECT_EQ(bench.scheduler->poll(), start + milliseconds(5));
  EXPECT_EQ(bench.engine.queued(), 0u);
  bench.clock.advance(milliseconds(3));
  EXPECT_EQ(bench.scheduler->poll(), base::Time::max());
  EXPECT_EQ(bench.engine.queued(), 1u);
  bench.engine.run_all();
  EXPECT_EQ(first.timing.dispatched, start + milliseconds(5));
  EXPECT_THAT(first.values, ElementsAre(1, 2));
  EXPECT_THAT(second.values, ElementsAre(3, 4, 5, 6));
  EXPECT_EQ(second.shape, (model::Shape{2, 2}));
}

TEST(Batching, NeverWaitsWhenNobodyCanJoin) {
  Bench bench;
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 1}))).ok());
  bench.ask({1, 2});
  EXPECT_EQ(bench.engine.queued(), 1u);
}

TEST(Batching, TakesWhatHasGatheredWhenASlotFallsFree) {
  Bench bench;
  model::Plan plan = batching(bench, bench.load({.batch = 4}));
  plan.max_batch_delay = base::Duration(0);
  ASSERT_TRUE(bench.publish(plan).ok());
  bench.ask({0, 0});
  std::vector<Answer*> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(&bench.ask({1, 1}));
  bench.engine.run_all();
  std::vector<int> sizes;
  for (const Answer* answer : answers) sizes.push_back(answer->timing.batch);
  EXPECT_THAT(sizes, ElementsAre(4, 4, 4, 4, 2, 2));
}

TEST(Batching, DoesNotWaitAwayADeadline) {
  Bench bench({.service_time = [](const model::Variant&, int) { return milliseconds(4); }});
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  bench.ask({1, 1});
  bench.clock.advance(milliseconds(5));
  bench.scheduler->poll();
  bench.engine.run_all();  // so an inference is known to take 4 ms
  const base::Time start = bench.clock.now();
  const Answer& urgent = bench.ask({2, 2}, milliseconds(6));
  EXPECT_EQ(bench.scheduler->poll(), start + milliseconds(2));
  bench.clock.advance(milliseconds(2));
  bench.scheduler->poll();
  bench.engine.run_all();
  EXPECT_TRUE(urgent.status.ok());
  EXPECT_EQ(urgent.timing.done, start + milliseconds(6));
}

TEST(Batching, JoinsEqualShapesOnly) {
  Bench bench({}, engine::identity_graph("net", {-1, -1}));
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  const auto wide = [] { return engine::f32_tensor("x", {1, 2, 3}, {1, 3}); };
  const Answer& a = bench.ask({1, 2});
  const Answer& b = bench.ask_tensor(wide());
  const Answer& c = bench.ask({3, 4});
  bench.clock.advance(milliseconds(5));
  bench.scheduler->poll();
  bench.engine.run_all();
  EXPECT_EQ(a.timing.batch, 2);
  EXPECT_EQ(c.timing.batch, 2);
  EXPECT_EQ(b.timing.batch, 1);
  EXPECT_THAT(b.values, ElementsAre(1, 2, 3));
}

TEST(Batching, AFullGroupOvertakesOneThatWaits) {
  Bench bench({}, engine::identity_graph("net", {-1, -1}));
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  bench.ask_tensor(engine::f32_tensor("x", {1, 2, 3}, {1, 3}));
  for (int i = 0; i < 4; ++i) bench.ask({1, 2});
  EXPECT_EQ(bench.engine.queued(), 1u);
  EXPECT_EQ(bench.scheduler->statistics().in_flight, 4);
  EXPECT_EQ(bench.scheduler->statistics().queued, 1);
}

TEST(Batching, KeepsExactShapesApart) {
  Bench bench;
  const std::string general = bench.load({.batch = 4});
  const model::InputShapes bucket = {{"x", {1, 2}}};
  const std::string exact = bench.load({.batch = 4, .shapes = bucket});
  model::Plan plan = batching(bench, general);
  plan.shares.push_back({.variant = exact, .shapes = bucket});
  ASSERT_TRUE(bench.publish(plan).ok());
  const Answer& one_row = bench.ask({1, 2});
  const Answer& two_rows = bench.ask({1, 2, 3, 4});
  const Answer& other_row = bench.ask({5, 6});
  bench.clock.advance(milliseconds(5));
  bench.scheduler->poll();
  bench.engine.run_all();
  EXPECT_EQ(one_row.variant, exact);
  EXPECT_EQ(other_row.variant, exact);
  EXPECT_EQ(one_row.timing.batch, 2);
  EXPECT_EQ(two_rows.variant, general);
}

TEST(Batching, SharesAnErrorAmongAll) {
  Bench bench;
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  bench.engine.fail_next(absl::InternalError("no"));
  std::vector<Answer*> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(&bench.ask({1, 1}));
  bench.engine.run_all();
  for (const Answer* answer : answers)
    EXPECT_EQ(answer->status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(bench.scheduler->statistics().failed, 4u);
}

// One number for the whole inference, however many rows it has.
absl::StatusOr<std::vector<engine::Tensor>> summed(const model::Graph&, const model::Variant&,
                                                   const std::vector<engine::Tensor>& inputs) {
  float sum = 0;
  for (const float value : engine::f32_values(inputs.at(0))) sum += value;
  return std::vector<engine::Tensor>{engine::f32_tensor("y", {sum}, {1})};
}

TEST(Batching, GoesBackToSinglesWhenOutputsAreNoRows) {
  model::Graph graph = engine::identity_graph("net", {-1, 2});
  graph.outputs[0].shape = {-1};
  Bench bench({.outputs = summed}, graph);
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  std::vector<Answer*> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(&bench.ask({static_cast<float>(i), 1}));
  bench.engine.run_all();
  for (int i = 0; i < 4; ++i) {
    const Answer& answer = *answers[static_cast<std::size_t>(i)];
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_THAT(answer.values, ElementsAre(static_cast<float>(i) + 1));
    EXPECT_EQ(answer.timing.batch, 1);
  }
  EXPECT_EQ(bench.scheduler->statistics().executions, 5u);
  EXPECT_EQ(bench.inputs_seen, 4);  // each once
  bench.ask({1, 1});
  EXPECT_EQ(bench.engine.queued(), 1u);  // and never waits for company again
}

TEST(Batching, LearnsFromSinglesToo) {
  model::Graph graph = engine::identity_graph("net", {-1, 2});
  graph.outputs[0].shape = {-1};
  Bench bench({.outputs = summed}, graph);
  const std::string id = bench.load({.batch = 4});
  ASSERT_TRUE(bench.publish(bench.plan({id})).ok());
  bench.ask({1, 1, 2, 2});  // two rows in, one out
  bench.engine.run_all();
  ASSERT_TRUE(bench.publish(batching(bench, id)).ok());
  bench.ask({1, 1});
  EXPECT_EQ(bench.engine.queued(), 1u);
}

TEST(Batching, DrainsWithoutWaitingForCompany) {
  Bench bench({.mode = engine::FakeEngine::Mode::kThreads});
  ASSERT_TRUE(bench.publish(batching(bench, bench.load({.batch = 4}))).ok());
  const Answer& alone = bench.ask({1, 1});
  EXPECT_TRUE(bench.scheduler->drain(base::Time::max()));
  EXPECT_TRUE(alone.came);
  EXPECT_TRUE(alone.status.ok());
}

}  // namespace
}  // namespace tachostat::schedule

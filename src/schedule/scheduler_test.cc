#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/status.h"
#include "base/thread.h"
#include "schedule/scheduler_test_support.h"

namespace tachostat::schedule {
namespace {

using absl::StatusCode;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Scheduler, AnswersWithTimingAndVariant) {
  Bench bench;
  const std::string id = bench.load();
  ASSERT_TRUE(bench.publish(bench.plan({id})).ok());
  const base::Time start = bench.clock.now();
  const Answer& answer = bench.ask({1, 2});
  EXPECT_FALSE(answer.came);
  EXPECT_EQ(bench.scheduler->statistics().in_flight, 1);
  bench.engine.run_all();
  ASSERT_TRUE(answer.came);
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_THAT(answer.values, ElementsAre(1, 2));
  EXPECT_EQ(answer.variant, id);
  EXPECT_EQ(answer.timing.arrival, start);
  EXPECT_EQ(answer.timing.dispatched, start);
  EXPECT_EQ(answer.timing.done, start + milliseconds(1));
  EXPECT_EQ(answer.timing.batch, 1);
  EXPECT_EQ(bench.log, "+1");
  EXPECT_EQ(bench.inputs_seen, 1);
  const Statistics statistics = bench.scheduler->statistics();
  EXPECT_EQ(statistics.accepted, 1u);
  EXPECT_EQ(statistics.succeeded, 1u);
  EXPECT_EQ(statistics.executions, 1u);
  EXPECT_EQ(statistics.compute_ns, 1000000u);
  EXPECT_EQ(statistics.in_flight, 0);
}

TEST(Scheduler, RefusesBadInputsAtOnce) {
  Bench bench;
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  const Answer& answer = bench.ask_tensor(engine::f32_tensor("z", {1, 2}, {1, 2}));
  EXPECT_EQ(answer.status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(bench.scheduler->statistics().accepted, 0u);
}

TEST(Scheduler, IsUnavailableBeforeTheFirstPlan) {
  Bench bench;
  EXPECT_EQ(bench.scheduler->plan(), nullptr);
  EXPECT_EQ(bench.ask({1, 2}).status.code(), StatusCode::kUnavailable);
}

TEST(Scheduler, PassesEngineErrorsOn) {
  Bench bench;
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  bench.engine.fail_next(absl::InternalError("out of luck"));
  const Answer& answer = bench.ask({1, 2});
  bench.engine.run_all();
  EXPECT_EQ(answer.status.code(), StatusCode::kInternal);
  EXPECT_THAT(std::string(base::message_of(answer.status)), HasSubstr("out of luck"));
  EXPECT_EQ(bench.log, "-1");
  EXPECT_EQ(bench.scheduler->statistics().failed, 1u);
}

TEST(Scheduler, KeepsToConcurrencyAndQueueLimit) {
  Bench bench;
  const std::string id = bench.load({.streams = 4});
  model::Plan plan = bench.plan({id});
  plan.concurrency = 2;
  plan.queue_limit = 1;
  ASSERT_TRUE(bench.publish(plan).ok());
  bench.ask({1, 1});
  bench.ask({2, 2});
  const Answer& third = bench.ask({3, 3});
  const Answer& fourth = bench.ask({4, 4});
  EXPECT_EQ(bench.engine.queued(), 2u);
  EXPECT_EQ(fourth.status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(base::message_of(fourth.status)), HasSubstr("the limit is 1"));
  bench.engine.run_one();
  EXPECT_EQ(bench.engine.queued(), 2u);  // the third went in
  bench.engine.run_all();
  EXPECT_THAT(third.values, ElementsAre(3, 3));
  EXPECT_EQ(third.timing.dispatched - third.timing.arrival, milliseconds(1));
  EXPECT_EQ(bench.scheduler->statistics().refused_full, 1u);
}

TEST(Scheduler, NeedsNoQueueForAFreeEngine) {
  Bench bench;
  model::Plan plan = bench.plan({bench.load()});
  plan.queue_limit = 0;
  ASSERT_TRUE(bench.publish(plan).ok());
  const Answer& first = bench.ask({1, 1});
  EXPECT_EQ(bench.ask({2, 2}).status.code(), StatusCode::kResourceExhausted);
  bench.engine.run_all();
  EXPECT_TRUE(first.status.ok());
}

TEST(Scheduler, ServesUrgentRequestsFirst) {
  Bench bench;
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  bench.ask({0, 0});
  const Answer& patient = bench.ask({1, 1});
  const Answer& urgent = bench.ask({2, 2}, milliseconds(50));
  const Answer& more_urgent = bench.ask({3, 3}, milliseconds(20));
  bench.engine.run_all();
  EXPECT_LT(more_urgent.timing.done, urgent.timing.done);
  EXPECT_LT(urgent.timing.done, patient.timing.done);
}

TEST(Scheduler, RefusesWhatCannotBeAnsweredInTime) {
  Bench bench({.service_time = [](const model::Variant&, int) { return milliseconds(10); }});
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  EXPECT_EQ(bench.ask({1, 1}, milliseconds(0)).status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(bench.ask({1, 1}, milliseconds(-5)).status.code(), StatusCode::kDeadlineExceeded);
  const Answer& probe = bench.ask({1, 1}, milliseconds(5));  // nothing is known yet
  bench.engine.run_all();
  EXPECT_TRUE(probe.came);  // late, but answered
  bench.ask({1, 1});
  bench.ask({2, 2});
  EXPECT_EQ(bench.ask({3, 3}, milliseconds(15)).status.code(), StatusCode::kDeadlineExceeded);
  const Answer& enough = bench.ask({4, 4}, milliseconds(40));
  bench.engine.run_all();
  EXPECT_TRUE(enough.status.ok());
  EXPECT_EQ(bench.scheduler->statistics().refused_deadline, 3u);
}

TEST(Scheduler, TriesAgainAfterASlowSpell) {
  base::Duration service = std::chrono::seconds(5);
  Bench bench({.service_time = [&](const model::Variant&, int) { return service; }});
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  bench.ask({1, 1});
  bench.engine.run_all();
  service = milliseconds(1);
  // By the average it takes seconds, but the engine is idle.
  const Answer& answer = bench.ask({2, 2}, milliseconds(10));
  bench.engine.run_all();
  EXPECT_TRUE(answer.status.ok()) << answer.status;
}

TEST(Scheduler, DropsWhatExpiresInTheQueue) {
  Bench bench({.service_time = [](const model::Variant&, int) { return milliseconds(100); }});
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  bench.ask({1, 1});
  const Answer& doomed = bench.ask({2, 2}, milliseconds(30));
  const Answer& patient = bench.ask({3, 3});
  EXPECT_EQ(bench.scheduler->poll(), bench.clock.now() + milliseconds(30));
  bench.clock.advance(milliseconds(29));
  bench.scheduler->poll();
  EXPECT_FALSE(doomed.came);
  bench.clock.advance(milliseconds(1));
  EXPECT_EQ(bench.scheduler->poll(), base::Time::max());
  EXPECT_EQ(doomed.status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(patient.came);
  bench.engine.run_all();
  EXPECT_TRUE(patient.status.ok());
  const Statistics statistics = bench.scheduler->statistics();
  EXPECT_EQ(statistics.expired, 1u);
  EXPECT_EQ(statistics.accepted, statistics.succeeded + statistics.expired);
  EXPECT_EQ(statistics.executions, 2u);
}

TEST(Scheduler, DropsExpiredRequestsWithoutATimerToo) {
  Bench bench({.service_time = [](const model::Variant&, int) { return milliseconds(100); }});
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  bench.ask({1, 1});
  const Answer& doomed = bench.ask({2, 2}, milliseconds(30));
  bench.engine.run_all();
  EXPECT_EQ(doomed.status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(bench.engine.executed(), 1u);
}

TEST(Scheduler, FollowsTheNewestPlan) {
  Bench bench;
  const std::string slow = bench.load({.streams = 1});
  const std::string fast = bench.load({.streams = 2});
  ASSERT_TRUE(bench.publish(bench.plan({slow})).ok());
  const Answer& first = bench.ask({1, 1});
  const Answer& second = bench.ask({2, 2});
  ASSERT_TRUE(bench.publish(bench.plan({fast})).ok());
  bench.engine.run_all();
  EXPECT_EQ(first.variant, slow);  // was under way
  EXPECT_EQ(second.variant, fast);
  EXPECT_EQ(bench.log, "+1+2");
  EXPECT_EQ(bench.scheduler->plan()->generation, 2u);
}

TEST(Scheduler, StartsMoreWhenAPlanAllowsMore) {
  Bench bench;
  model::Plan plan = bench.plan({bench.load()});
  ASSERT_TRUE(bench.publish(plan).ok());
  for (int i = 0; i < 4; ++i) bench.ask({1, 1});
  EXPECT_EQ(bench.engine.queued(), 1u);
  plan.concurrency = 3;
  ASSERT_TRUE(bench.publish(plan).ok());
  EXPECT_EQ(bench.engine.queued(), 3u);
}

TEST(Scheduler, KeepsTheOldPlanWhenTheNewOneIsBad) {
  Bench bench;
  const std::string id = bench.load();
  const auto good = std::make_shared<const model::Plan>(bench.plan({id}));
  ASSERT_TRUE(bench.scheduler->publish(good).ok());
  model::Plan weightless = bench.plan({id});
  weightless.shares[0].weight = 0;
  model::Plan negative = bench.plan({id});
  negative.shares[0].weight = -1;
  model::Plan idle = bench.plan({id});
  idle.concurrency = 0;
  for (const model::Plan& bad :
       {bench.plan({"nobody"}), bench.plan({}), weightless, negative, idle}) {
    EXPECT_EQ(bench.publish(bad).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(bench.scheduler->publish(nullptr).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(bench.scheduler->plan(), good);
}

TEST(Scheduler, RoutesExactShapesToTheirVariant) {
  Bench bench({}, engine::identity_graph("net", {-1, -1}));
  const std::string general = bench.load();
  const model::InputShapes bucket = {{"x", {1, 2}}};
  const std::string exact = bench.load({.shapes = bucket});
  model::Plan plan = bench.plan({general, exact});
  plan.shares[1].shapes = bucket;
  ASSERT_TRUE(bench.publish(plan).ok());
  const Answer& fits = bench.ask({1, 2});
  const Answer& wider = bench.ask_tensor(engine::f32_tensor("x", {1, 2, 3}, {1, 3}));
  bench.engine.run_all();
  EXPECT_EQ(fits.variant, exact);
  EXPECT_EQ(wider.variant, general);

  plan.shares.erase(plan.shares.begin());
  ASSERT_TRUE(bench.publish(plan).ok());
  const Answer& homeless = bench.ask_tensor(engine::f32_tensor("x", {1, 2, 3}, {1, 3}));
  EXPECT_EQ(homeless.status.code(), StatusCode::kUnavailable);
}

TEST(Scheduler, RemovesSessionsThatNoPlanNames) {
  Bench bench;
  const std::string old = bench.load({.streams = 1});
  const std::string next = bench.load({.streams = 2});
  EXPECT_EQ(bench.scheduler->remove_session("nobody").code(), StatusCode::kNotFound);
  EXPECT_EQ(bench.scheduler->add_session(nullptr).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(bench.publish(bench.plan({old})).ok());
  EXPECT_EQ(bench.scheduler->remove_session(old).code(), StatusCode::kFailedPrecondition);
  const Answer& last = bench.ask({1, 1});
  ASSERT_TRUE(bench.publish(bench.plan({next})).ok());
  // It returns only after the inference under way has ended, on whatever thread that happens.
  std::jthread engine_thread =
      base::start_thread("engine", [&](const std::stop_token&) { bench.engine.run_all(); });
  EXPECT_TRUE(bench.scheduler->remove_session(old).ok());
  EXPECT_TRUE(last.came);
  EXPECT_THAT(bench.engine.loaded(), ElementsAre(next));
}

TEST(Scheduler, DrainsWhatItAccepted) {
  Bench bench({.mode = engine::FakeEngine::Mode::kThreads});
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  std::vector<Answer*> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(&bench.ask({1, 1}));
  EXPECT_TRUE(bench.scheduler->drain(base::Time::max()));
  for (const Answer* answer : answers) EXPECT_TRUE(answer->status.ok() && answer->came);
  EXPECT_EQ(bench.ask({1, 1}).status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(bench.scheduler->drain(bench.clock.now()));
}

TEST(Scheduler, GivesUpAtTheDrainDeadline) {
  Bench bench;
  ASSERT_TRUE(bench.publish(bench.plan({bench.load()})).ok());
  const Answer& running = bench.ask({1, 1});
  const Answer& waiting = bench.ask({2, 2});
  EXPECT_FALSE(bench.scheduler->drain(bench.clock.now()));
  EXPECT_EQ(running.status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(waiting.status.code(), StatusCode::kUnavailable);
  bench.engine.run_all();  // the completion finds its request answered
  EXPECT_EQ(bench.engine.executed(), 1u);
  EXPECT_EQ(bench.log, "");
  const Statistics statistics = bench.scheduler->statistics();
  EXPECT_EQ(statistics.failed, 2u);
  EXPECT_EQ(statistics.in_flight, 0);
  EXPECT_EQ(statistics.queued, 0);
}

// Completes inside infer(), as an engine may when it refuses.
class HastySession final : public engine::Session {
 public:
  std::uint64_t number() const override { return 1; }
  const model::Variant& variant() const override { return variant_; }
  const engine::Applied& applied() const override { return applied_; }
  std::uint64_t memory_bytes() const override { return 0; }
  void infer(std::vector<engine::Tensor> inputs, engine::Completion done) override {
    done(std::move(inputs));
  }

 private:
  model::Variant variant_;
  engine::Applied applied_;
};

TEST(Scheduler, DoesNotRecurseWhenCallbacksSubmitAgain) {
  Bench bench;
  ASSERT_TRUE(bench.scheduler->add_session(std::make_shared<HastySession>()).ok());
  ASSERT_TRUE(bench.publish(bench.plan({model::Variant().id()})).ok());
  int left = 20000;  // as a recursion it would need more than any stack
  std::function<void()> again = [&] {
    if (left-- == 0) return;
    Request request;
    request.inputs = {engine::f32_tensor("x", {1, 2}, {1, 2})};
    request.done = [&](const absl::StatusOr<Response>& response) {
      EXPECT_TRUE(response.ok());
      again();
    };
    bench.scheduler->submit(std::move(request));
  };
  again();
  EXPECT_EQ(bench.scheduler->statistics().succeeded, 20000u);
}

}  // namespace
}  // namespace tachostat::schedule

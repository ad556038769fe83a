// Everything at once from many threads, on the real clock and with the real timer. Meant for
// ThreadSanitizer; what is asserted is that each request gets exactly one answer and the right one.
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "base/thread.h"
#include "engine/fake/fake.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {
namespace {

constexpr int kClients = 4;
constexpr int kRequests = 500;

struct Tally {
  std::atomic<int> right{0}, refused{0}, wrong{0};
};

void ask(Scheduler& scheduler, Tally& tally, float value, base::Time deadline) {
  Request request;
  request.inputs = {engine::f32_tensor("x", {value, value}, {1, 2})};
  request.deadline = deadline;
  request.done = [&tally, value](const absl::StatusOr<Response>& response) {
    if (!response.ok()) {
      ++tally.refused;
      return;
    }
    const std::vector<float> found = engine::f32_values(response->outputs.at(0));
    ++(found == std::vector<float>{value, value} ? tally.right : tally.wrong);
  };
  scheduler.submit(std::move(request));
}

void serve_client(Scheduler& scheduler, Tally& tally, base::Clock& clock, int client) {
  std::mt19937 random(static_cast<unsigned>(client));
  for (int i = 0; i < kRequests; ++i) {
    const bool urgent = random() % 4 == 0;
    const auto patience = std::chrono::microseconds(random() % 3000);
    ask(scheduler, tally, static_cast<float>(client * kRequests + i),
        urgent ? clock.now() + patience : base::Time::max());
  }
}

// Swaps plans, and loads and removes a session, until told to stop.
void govern(Scheduler& scheduler, engine::Engine& engine, const model::Graph& graph,
            const std::string& steady, const std::stop_token& stop) {
  for (std::uint64_t generation = 2; !stop.stop_requested(); ++generation) {
    model::Variant variant;
    variant.streams = 2;
    variant.batch = 8;
    auto session = engine.load(graph, variant, nullptr);
    ASSERT_TRUE(session.ok());
    ASSERT_TRUE(scheduler.add_session(*std::move(session)).ok());
    model::Plan plan;
    plan.generation = generation;
    plan.shares = {{.variant = steady}, {.variant = variant.id(), .weight = 2}};
    plan.max_batch = 1 + static_cast<int>(generation % 8);
    plan.max_batch_delay = std::chrono::microseconds(generation % 3 * 50);
    plan.concurrency = 1 + static_cast<int>(generation % 4);
    ASSERT_TRUE(scheduler.publish(std::make_shared<const model::Plan>(plan)).ok());
    plan.shares.pop_back();
    ASSERT_TRUE(scheduler.publish(std::make_shared<const model::Plan>(plan)).ok());
    ASSERT_TRUE(scheduler.remove_session(variant.id()).ok());
    static_cast<void>(scheduler.statistics());
  }
}

TEST(SchedulerStress, AnswersEachRequestOnce) {
  base::SystemClock clock;
  engine::FakeEngine engine({.mode = engine::FakeEngine::Mode::kThreads});
  const model::Graph graph = engine::identity_graph("net", {-1, 2});
  std::atomic<int> reported{0};
  std::unique_ptr<Scheduler> scheduler = Scheduler::Create(
      clock, {.graph = graph, .on_answered = [&](const Answered&) { ++reported; }});
  model::Variant variant;
  variant.batch = 8;
  auto session = engine.load(graph, variant, nullptr);
  ASSERT_TRUE(session.ok());
  ASSERT_TRUE(scheduler->add_session(*std::move(session)).ok());
  model::Plan plan;
  plan.generation = 1;
  plan.shares = {{.variant = variant.id()}};
  ASSERT_TRUE(scheduler->publish(std::make_shared<const model::Plan>(plan)).ok());

  Tally tally;
  {
    std::jthread governor = base::start_thread("governor", [&](const std::stop_token& stop) {
      govern(*scheduler, engine, graph, variant.id(), stop);
    });
    {
      std::vector<std::jthread> clients;
      for (int i = 0; i < kClients; ++i) {
        clients.push_back(base::start_thread("client", [&, i](const std::stop_token&) {
          serve_client(*scheduler, tally, clock, i);
        }));
      }
    }
    governor.request_stop();
  }
  EXPECT_TRUE(scheduler->drain(base::Time::max()));
  const Statistics statistics = scheduler->statistics();
  EXPECT_EQ(tally.wrong, 0);
  EXPECT_EQ(tally.right + tally.refused, kClients * kRequests);
  EXPECT_GT(tally.right, 0);
  EXPECT_EQ(statistics.succeeded, static_cast<std::uint64_t>(tally.right.load()));
  EXPECT_EQ(statistics.succeeded + statistics.failed, static_cast<std::uint64_t>(reported.load()));
  EXPECT_EQ(statistics.accepted, statistics.succeeded + statistics.failed + statistics.expired);
  EXPECT_EQ(statistics.accepted + statistics.refused_full + statistics.refused_deadline,
            static_cast<std::uint64_t>(kClients * kRequests));
}

TEST(SchedulerStress, IsDestroyedUnderLoad) {
  base::SystemClock clock;
  for (int round = 0; round < 50; ++round) {
    engine::FakeEngine engine({.mode = engine::FakeEngine::Mode::kThreads});
    const model::Graph graph = engine::identity_graph("net", {-1, 2});
    std::unique_ptr<Scheduler> scheduler = Scheduler::Create(clock, {.graph = graph});
    const model::Variant variant{.batch = 4};
    auto session = engine.load(graph, variant, nullptr);
    ASSERT_TRUE(session.ok());
    ASSERT_TRUE(scheduler->add_session(*std::move(session)).ok());
    model::Plan plan;
    plan.shares = {{.variant = variant.id()}};
    plan.max_batch = 4;
    plan.max_batch_delay = std::chrono::microseconds(round);
    ASSERT_TRUE(scheduler->publish(std::make_shared<const model::Plan>(plan)).ok());
    Tally tally;
    for (int i = 0; i < 20; ++i) {
      ask(*scheduler, tally, 1, clock.now() + std::chrono::milliseconds(round % 3));
    }
    if (round % 2 == 0) scheduler->drain(clock.now());
    scheduler.reset();
    EXPECT_EQ(tally.right + tally.refused, 20);
  }
}

}  // namespace
}  // namespace tachostat::schedule

// A scheduler over the fake engine on a manual clock: nothing happens until a test says so.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "engine/fake/fake.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {

struct Answer {
  bool came = false;
  absl::Status status;
  std::vector<float> values;
  model::Shape shape;
  Timing timing;
  std::string variant;
};

class Bench {
 public:
  explicit Bench(engine::FakeEngine::Options options = {},
                 model::Graph graph = engine::identity_graph("net", {-1, 2}))
      : graph_(std::move(graph)), engine(with_clock(std::move(options))) {
    scheduler = Scheduler::Create(
        clock, {.graph = graph_,
                .on_answered =
                    [this](const Answered& each) {
                      log += std::string(each.ok ? "+" : "-") + std::to_string(each.generation);
                    },
                .on_inputs = [this](const std::vector<engine::Tensor>&) { ++inputs_seen; },
                .own_timer_thread = false});
  }
  ~Bench() {
    scheduler->drain(clock.now());
    engine.run_all();
    scheduler.reset();
  }

  // Loads it and returns its id.
  std::string load(model::Variant variant = {}) {
    variant.engine = "fake";
    auto session = engine.load(graph_, variant, nullptr);
    EXPECT_TRUE(session.ok()) << session.status();
    EXPECT_TRUE(scheduler->add_session(*std::move(session)).ok());
    return variant.id();
  }
  // A plan with one share per variant.
  model::Plan plan(const std::vector<std::string>& variants) {
    model::Plan made;
    made.generation = ++generation_;
    for (const std::string& each : variants) made.shares.push_back({.variant = each});
    return made;
  }
  absl::Status publish(model::Plan made) {
    return scheduler->publish(std::make_shared<const model::Plan>(std::move(made)));
  }

  // One row per two values. The answer stays where it is.
  Answer& ask(const std::vector<float>& values, base::Duration deadline = base::Duration::max()) {
    const auto rows = static_cast<std::int64_t>(values.size() / 2);
    return ask_tensor(engine::f32_tensor("x", values, {rows, 2}), deadline);
  }
  Answer& ask_tensor(engine::Tensor tensor, base::Duration deadline = base::Duration::max()) {
    Answer& answer = answers_.emplace_back();
    Request request;
    request.inputs = {std::move(tensor)};
    if (deadline != base::Duration::max()) request.deadline = clock.now() + deadline;
    request.done = [&answer](absl::StatusOr<Response> response) {
      EXPECT_FALSE(answer.came);
      answer.came = true;
      answer.status = response.status();
      if (!response.ok()) return;
      answer.values = engine::f32_values(response->outputs.at(0));
      answer.shape = response->outputs[0].shape;
      answer.timing = response->timing;
      answer.variant = response->variant;
    };
    scheduler->submit(std::move(request));
    return answer;
  }

 private:
  engine::FakeEngine::Options with_clock(engine::FakeEngine::Options options) {
    options.clock = &clock;
    return options;
  }
  const model::Graph graph_;
  std::uint64_t generation_ = 0;
  std::deque<Answer> answers_;

 public:
  base::ManualClock clock;
  engine::FakeEngine engine;
  std::unique_ptr<Scheduler> scheduler;
  std::string log;  // on_answered: ok or not, and the plan's generation
  int inputs_seen = 0;
};

}  // namespace tachostat::schedule

// A scheduler for tests: answers every request with its own inputs, named as the model's outputs;
// or fails; or holds requests until told.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "serve/serve.h"

namespace tachostat::serve {

// Thread-safe.
class FakeScheduler final : public schedule::Scheduler {
 public:
  explicit FakeScheduler(model::Graph graph) : graph_(std::move(graph)) {}

  absl::Status add_session(std::shared_ptr<engine::Session>) override { return absl::OkStatus(); }
  absl::Status remove_session(const std::string&) override { return absl::OkStatus(); }
  absl::Status publish(model::PlanPtr) override { return absl::OkStatus(); }
  model::PlanPtr plan() const override { return nullptr; }

  void submit(schedule::Request request) override {
    {
      base::MutexLock lock(mutex_);
      ++statistics_.accepted;
      last_deadline_ = request.deadline;
      if (hold_) {
        held_.push_back(std::move(request));
        changed_.notify_all();
        return;
      }
    }
    answer(std::move(request));
  }

  bool drain(base::Time) override {
    release();
    return true;
  }

  schedule::Statistics statistics() const override {
    base::MutexLock lock(mutex_);
    return statistics_;
  }

  // From now on every request gets this, OK for its echo.
  void fail_with(absl::Status status) {
    base::MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  void hold() {
    base::MutexLock lock(mutex_);
    hold_ = true;
  }
  void wait_until_held(std::size_t count) {
    base::MutexLock lock(mutex_);
    while (held_.size() < count) changed_.wait(mutex_);
  }
  // Answers what is held, newest first, and holds nothing any more.
  void release() {
    std::vector<schedule::Request> held;
    {
      base::MutexLock lock(mutex_);
      hold_ = false;
      held.swap(held_);
    }
    for (auto request = held.rbegin(); request != held.rend(); ++request) {
      answer(std::move(*request));
    }
  }
  base::Time last_deadline() const {
    base::MutexLock lock(mutex_);
    return last_deadline_;
  }

 private:
  void answer(schedule::Request request) {
    absl::Status status;
    {
      base::MutexLock lock(mutex_);
      status = status_;
      if (status.ok()) {
        ++statistics_.succeeded;
        ++statistics_.executions;
        statistics_.queue_ns += 1'000;
        statistics_.compute_ns += 2'000;
      } else {
        ++statistics_.failed;
      }
    }
    if (status.ok()) status = schedule::check_inputs(graph_, request.inputs);
    if (!status.ok()) return request.done(status);
    schedule::Response response;
    response.variant = "fake";
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const auto input = std::find_if(
          request.inputs.begin(), request.inputs.end(),
          [&](const engine::Tensor& tensor) { return tensor.name == graph_.inputs[i].name; });
      response.outputs.push_back(*input);
      response.outputs.back().name = graph_.outputs[i].name;
    }
    request.done(std::move(response));
  }

  const model::Graph graph_;
  mutable base::Mutex mutex_;
  base::CondVar changed_;
  schedule::Statistics statistics_ TS_GUARDED_BY(mutex_);
  absl::Status status_ TS_GUARDED_BY(mutex_);
  bool hold_ TS_GUARDED_BY(mutex_) = false;
  std::vector<schedule::Request> held_ TS_GUARDED_BY(mutex_);
  base::Time last_deadline_ TS_GUARDED_BY(mutex_){};
};

// A model that gives back what it gets: input "x" of `type` and any length comes out as "y".
inline model::Graph echo_graph(model::DataType type = model::DataType::kF32) {
  model::Graph graph;
  graph.name = "echo";
  graph.inputs = {{.name = "x", .type = type, .shape = {model::kDynamic}}};
  graph.outputs = {{.name = "y", .type = type, .shape = {model::kDynamic}}};
  return graph;
}

}  // namespace tachostat::serve

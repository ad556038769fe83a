#include "simulate/session.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "base/status.h"

namespace tachostat::simulate {
namespace {

using engine::Tensor;

// Of one inference; the values mean nothing, so all share one block of zeros.
constexpr std::int64_t kMostRows = 1024;
const std::array<float, kMostRows> kValues{};

Tensor rows_of(const char* name, std::int64_t rows) {
  Tensor tensor{.name = name, .type = model::DataType::kF32, .shape = {rows}};
  tensor.data = std::as_bytes(std::span(kValues).first(static_cast<std::size_t>(rows)));
  return tensor;
}

model::Graph make_graph() {
  const model::Port x{"x", model::DataType::kF32, {model::kDynamic}};
  const model::Port y{"y", model::DataType::kF32, {model::kDynamic}};
  model::Graph graph;
  graph.name = "simulated";
  graph.format = "simulated";
  graph.inputs = {x};
  graph.outputs = {y};
  return graph;
}

}  // namespace

const model::Graph& simulated_graph() {
  static const model::Graph graph = make_graph();
  return graph;
}

std::vector<Tensor> simulated_inputs() { return {rows_of("x", 1)}; }

model::Variant variant_of(const SimulatedVariant& variant) {
  return {.engine = variant.name,
          .threads = variant.threads,
          .streams = variant.streams,
          .batch = variant.batch};
}

SimulatedSession::SimulatedSession(std::uint64_t number, const SimulatedVariant& simulated,
                                   model::Variant variant, Machine& machine, Random& random,
                                   TroubleNow trouble)
    : number_(number),
      simulated_(simulated),
      variant_(std::move(variant)),
      machine_(machine),
      random_(random),
      times_(simulated.service),
      trouble_(std::move(trouble)) {
  applied_.threads = simulated.threads;
  applied_.streams = simulated.streams;
}

double SimulatedSession::cores() const {
  return static_cast<double>(simulated_.threads) / simulated_.streams;
}

void SimulatedSession::infer(std::vector<Tensor> inputs, engine::Completion done) {
  const std::int64_t rows = inputs.empty() ? 1 : inputs.front().shape.front();
  ++in_flight_;
  ++inferences_;
  if (trouble_().hangs) {
    hanging_.push_back({rows, std::move(done)});
    return;
  }
  run(rows, std::move(done));
}

void SimulatedSession::run(std::int64_t rows, engine::Completion done) {
  machine_.start(draw(rows), cores(), [this, rows, done = std::move(done)]() mutable {
    --in_flight_;
    const double failures = std::max(simulated_.failures, trouble_().failures);
    if (failures > 0 && random_.uniform() < failures) {
      return done(base::internal("the simulated engine fails"));
    }
    std::vector<Tensor> outputs;
    outputs.push_back(rows_of("y", std::min(rows, kMostRows)));
    done(std::move(outputs));
  });
}

void SimulatedSession::revive() {
  if (trouble_().hangs) return;
  for (Waiting& waiting : std::exchange(hanging_, {})) run(waiting.rows, std::move(waiting.done));
}

void SimulatedSession::give_up() {
  for (Waiting& waiting : std::exchange(hanging_, {})) {
    --in_flight_;
    waiting.done(base::unavailable("the simulated engine hung until the end"));
  }
}

}  // namespace tachostat::simulate

// A loaded variant whose inferences are time on a Machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "simulate/machine.h"
#include "simulate/random.h"
#include "simulate/service.h"
#include "simulate/simulate.h"
#include "simulate/world.h"

namespace tachostat::simulate {

// The network of every simulated model: "y" has as many rows as "x".
const model::Graph& simulated_graph();
// One request's input.
std::vector<engine::Tensor> simulated_inputs();
// Variant::id() starts with the name.
model::Variant variant_of(const SimulatedVariant& variant);

// Thread-compatible; may outlive neither machine nor variant.
class SimulatedSession final : public engine::Session {
 public:
  // What the engine does with it now.
  using TroubleNow = std::function<Trouble()>;

  // `number` is unique in the plant; no spans are taken of simulated sessions.
  SimulatedSession(std::uint64_t number, const SimulatedVariant& simulated, model::Variant variant,
                   Machine& machine, Random& random, TroubleNow trouble);

  std::uint64_t number() const override { return number_; }
  const model::Variant& variant() const override { return variant_; }
  const engine::Applied& applied() const override { return applied_; }
  void infer(std::vector<engine::Tensor> inputs, engine::Completion done) override;
  std::uint64_t memory_bytes() const override { return simulated_.memory_bytes; }

  const SimulatedVariant& simulated() const { return simulated_; }
  int in_flight() const { return in_flight_; }
  std::uint64_t inferences() const { return inferences_; }
  double draw(std::int64_t batch) const { return times_.draw(batch, random_); }
  double cores() const;  // that one inference keeps busy
  // What hangs goes on, from now, if the trouble is over.
  void revive();
  // What hangs fails.
  void give_up();

 private:
  struct Waiting {
    std::int64_t rows;
    engine::Completion done;
  };
  void run(std::int64_t rows, engine::Completion done);

  const std::uint64_t number_;
  const SimulatedVariant& simulated_;
  const model::Variant variant_;
  engine::Applied applied_;
  Machine& machine_;
  Random& random_;
  const ServiceTimes times_;
  const TroubleNow trouble_;
  std::vector<Waiting> hanging_;
  int in_flight_ = 0;
  std::uint64_t inferences_ = 0;
};

}  // namespace tachostat::simulate

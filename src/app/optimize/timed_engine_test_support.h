// For tests: an engine whose clock moves by what a request takes.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "engine/fake/fake.h"

namespace tachostat::app {

// Each request gives its first input back as "y".
class TimedEngine : public engine::Engine {
 public:
  TimedEngine(base::ManualClock& clock, std::function<base::Duration(const model::Variant&)> time,
              std::uint64_t memory_bytes = 0)
      : fake_({.mode = engine::FakeEngine::Mode::kThreads,
               .clock = &clock,
               .outputs =
                   [&clock, time = std::move(time)](const model::Graph&,
                                                    const model::Variant& variant,
                                                    const std::vector<engine::Tensor>& inputs) {
                     clock.advance(time(variant));
                     engine::Tensor output = inputs[0];
                     output.name = std::string("y");
                     return std::vector<engine::Tensor>{output};
                   },
               .memory_bytes = memory_bytes}) {}

  std::string_view name() const override { return fake_.name(); }
  const engine::Capabilities& capabilities() const override { return fake_.capabilities(); }
  absl::StatusOr<std::unique_ptr<engine::Session>> load(const model::Graph& graph,
                                                        const model::Variant& variant,
                                                        engine::Observer* observer) override {
    return fake_.load(graph, variant, observer);
  }

 private:
  engine::FakeEngine fake_;
};

}  // namespace tachostat::app

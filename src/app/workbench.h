// Measures variants side by side on real samples: optimize::Bench with the engine and the probe.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/bench.h"
#include "probe/probe.h"

namespace tachostat::app {

class Workbench final : public optimize::Bench {
 public:
  struct Options {
    // Requests of each variant: as many as a profile has slices, so that each gets its own.
    int requests = static_cast<int>(profile::Profile::kMostSlices);
    int block = 4;  // requests in a row before the next variant's turn
    int warmup = 3;
    std::string machine = {};
  };
  // All must outlive it. `inputs` is one sample.
  Workbench(engine::Engine& engine, probe::SpanSource& spans, const model::Graph& graph,
            std::vector<engine::Tensor> inputs, Options options)
      : engine_(engine),
        spans_(spans),
        graph_(graph),
        inputs_(std::move(inputs)),
        options_(std::move(options)) {}

  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override;

 private:
  engine::Engine& engine_;
  probe::SpanSource& spans_;
  const model::Graph& graph_;
  const std::vector<engine::Tensor> inputs_;
  const Options options_;
};

}  // namespace tachostat::app

// Measures variants side by side on real samples: optimize::Bench with the engine and the probe.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/evidence.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/bench.h"
#include "probe/probe.h"

namespace tachostat::app {

class Workbench final : public optimize::Bench {
 public:
  struct Options {
    int warmup = 3;
    // Of one variant in all, about; a profile has at least kLeastSlices slices, however long.
    double seconds = 1;
    std::string machine = {};
  };
  // All must outlive it. `inputs` is one sample.
  Workbench(const base::Clock& clock, engine::Engine& engine, probe::SpanSource& spans,
            const model::Graph& graph, std::vector<engine::Tensor> inputs, Options options)
      : clock_(clock),
        engine_(engine),
        spans_(spans),
        graph_(graph),
        inputs_(std::move(inputs)),
        options_(std::move(options)),
        sampler_(spans, {}),
        observer_(sampler_),
        evidence_(sampler_, graph, nullptr, options_.machine) {}

  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override;

 private:
  static constexpr int kLeastSlices = 12;

  struct Pace {
    int slices = 0;
    int block = 1;  // requests in each slice
  };
  absl::StatusOr<Pace> pace_of(engine::Session& session) const;
  absl::StatusOr<engine::Session*> loaded(const model::Variant& variant);
  void unload_all_but(std::span<const model::Variant> variants);

  const base::Clock& clock_;
  engine::Engine& engine_;
  probe::SpanSource& spans_;
  const model::Graph& graph_;
  const std::vector<engine::Tensor> inputs_;
  const Options options_;
  probe::Sampler sampler_;
  SamplingObserver observer_;
  Evidence evidence_;
  // Of the last call: a search compares what it has with something new, again and again.
  std::map<std::string, std::unique_ptr<engine::Session>> sessions_;
};

}  // namespace tachostat::app

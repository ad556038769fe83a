// The quantisation stage: where integers pay on this machine, and with which ranges they stay
// accurate.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/journal.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/quantise/calibrate.h"
#include "optimize/quantise/search.h"

namespace tachostat::app {

struct Placing {
  std::vector<optimize::Switch> switches = {};
  optimize::Calibration calibration = {};
  optimize::PlacementResult result = {};
  // The result's placement with ranges chosen in each way, most usual first.
  std::vector<std::pair<std::string, model::Recipe>> recipes = {};
};

// How much range weights need so that sums of products do not saturate on this processor.
float weight_headroom();

struct PlacingOptions {
  model::Variant base = {};
  std::uint64_t seed = 1;
  int most_rounds = 40;
  std::function<bool(std::string_view stage, double done)> progress = {};
};

// `graph` has the shapes of the samples' most frequent shape; `declared` is the model's own.
absl::StatusOr<Placing> place_quantisers(engine::Engine& engine, const model::Graph& declared,
                                         const model::Graph& graph,
                                         const optimize::Samples& samples, optimize::Bench& bench,
                                         const PlacingOptions& options);

}  // namespace tachostat::app

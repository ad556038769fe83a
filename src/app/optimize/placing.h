// The quantisation stage: where integers pay on this machine, and what keeps them accurate.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/journal.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/calibrate.h"
#include "optimize/quantise/search.h"

namespace tachostat::app {

// A placement that is worth racing.
struct Placed {
  std::string name = {};
  optimize::Placement placement = {};  // without what was left in f32 for accuracy
  model::Recipe recipe = {};
};

struct Placing {
  std::vector<optimize::Switch> switches = {};
  optimize::PlacementResult result = {};  // as it was found for speed
  // The fastest that drops little enough, then perhaps a safer one; none: integers don't pay.
  std::vector<Placed> placed = {};
  // One line for each way that was tried to stay accurate, with its drop on the search's samples.
  std::vector<std::string> notes = {};
};

// How much range weights need so that sums of products do not saturate on this processor.
float weight_headroom();

struct PlacingOptions {
  model::Variant base = {};       // that is to be faster
  model::Variant reference = {};  // f32
  double wanted_drop = 0.005;     // on the search's samples; more is mended
  std::uint64_t seed = 1;
  int most_rounds = 40;
  // Mean drops of variants on so many of the search's samples at most.
  std::function<absl::StatusOr<std::vector<double>>(const std::vector<model::Variant>& variants,
                                                    std::size_t samples)>
      drops = {};
  std::function<bool(std::string_view stage, double done)> progress = {};
  // False: that step ends with the best so far. May be null.
  std::function<bool()> search_on = {};
  std::function<bool()> repair_on = {};
};

// `graph` has the shapes of the samples' most frequent shape; `declared` is the model's own.
absl::StatusOr<Placing> place_quantisers(engine::Engine& engine, const model::Graph& declared,
                                         const model::Graph& graph,
                                         const optimize::Samples& samples, optimize::Bench& bench,
                                         Journal& journal, const PlacingOptions& options);

}  // namespace tachostat::app

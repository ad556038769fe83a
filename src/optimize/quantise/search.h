// Where quantisation pays, found by measuring. A quantiser is kept only where the kernels that it
// enables save more than its own steps and reorders cost. Local search over switches: many flips
// whose neighbourhoods do not meet are tried in one compilation, and each is judged by what its own
// neighbourhood costs with and without it, both measured side by side. So a network of a hundred
// choices takes some tens of compilations, not 2^100.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "optimize/bench.h"
#include "optimize/quantise/placement.h"

namespace tachostat::optimize {

struct PlacementSearchOptions {
  model::Variant base =
      {};  // how the model runs otherwise; its recipe goes before all that is tried
  float weight_headroom = 1;
  RangeMethod method = RangeMethod::kMinMax;
  int most_rounds = 40;
  double least_gain = 0.01;  // of its neighbourhood's time, for a quantiser to be put in
  std::uint64_t seed = 1;
  // Rounds done, at most; a sentence on what is being tried. False stops the search, which then
  // gives the best so far. May be null.
  std::function<bool(int done, int all, const std::string& what)> progress = {};
};

struct PlacementTry {
  std::string what = {};       // "all", "products", "round 3: 4 of 9 flips kept"
  double ns = 0, base_ns = 0;  // sum of layers, and what it was compared with in the same run
};

struct PlacementResult {
  Placement placement = {};
  QuantiseOptions ranges = {};
  model::Recipe recipe = {};          // empty: nothing pays
  double f32_ns = 0, ns = 0;          // measured side by side at the end
  std::vector<double> saved_ns = {};  // by switch: what its own layer saves at the end
  // Zero points cost next to nothing here: either kind of range may be had for accuracy.
  bool zero_points_are_free = false;
  std::vector<PlacementTry> tries = {};
};

absl::StatusOr<PlacementResult> search_placement(const model::Graph& graph,
                                                 const std::vector<Switch>& switches,
                                                 const Calibration& calibration, Bench& bench,
                                                 const PlacementSearchOptions& options);

}  // namespace tachostat::optimize

// A set of switches that are on, as a recipe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "optimize/calibrate.h"
#include "optimize/quantise/places.h"
#include "optimize/quantise/smooth.h"

namespace tachostat::optimize {

struct QuantiseOptions {
  model::Recipe first = {};  // what is done to the network before; the graph is what that leaves
  RangeMethod method = RangeMethod::kMinMax;
  // Ranges around zero for what has negative values; else a zero point, which costs some kernels a
  // correction and saves half the codes of a tensor that is hardly negative.
  bool symmetric = true;
  // See model::Quantise::Weight. 2 on x86 without VNNI or AMX.
  float weight_headroom = 1;
  // Applied first; null: nothing is smoothed.
  std::shared_ptr<const Smoothing> smoothing = {};
};

// Which switches are on, by index.
using Placement = std::vector<bool>;

int count_on(const Placement& placement);

// Everything that depends on the samples is in the recipe: no data is needed to apply it. Edges of
// one source get one range. NotFound: an edge that was not calibrated.
absl::StatusOr<model::Recipe> recipe_of(const model::Graph& graph,
                                        const std::vector<Switch>& switches,
                                        const Placement& placement, const Calibration& calibration,
                                        const QuantiseOptions& options);

}  // namespace tachostat::optimize

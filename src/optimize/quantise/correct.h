// Takes the mean error out of quantised layers: what a layer computes is shifted, per channel, by
// what rounding its own inputs and weights does to its mean over the samples. Method: bias
// correction, Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
// Correction" (ICCV 2019), section 4.2, with measured means. Each layer is rounded beside itself
// (model::Twin), fed with what the f32 network computes, so that no error is corrected twice.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/calibrate.h"
#include "optimize/quantise/placement.h"

namespace tachostat::optimize {

struct CorrectOptions {
  model::Variant variant = {};  // f32, without a recipe
  std::function<bool(std::size_t done, std::size_t all)> progress = {};
};

// `recipe`, made of these switches, with a shift for its products. The empty recipe stays empty.
absl::StatusOr<model::Recipe> correct_means(engine::Engine& engine, const model::Graph& declared,
                                            const model::Graph& graph,
                                            const std::vector<Switch>& switches,
                                            const Placement& placement, const model::Recipe& recipe,
                                            const Samples& samples, const CorrectOptions& options);

}  // namespace tachostat::optimize

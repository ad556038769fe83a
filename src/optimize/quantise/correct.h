// Takes the mean error out of quantised layers: what a layer computes is shifted, per channel, by
// the difference of its mean in f32 and in integers over the samples. Method: bias correction,
// Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV
// 2019), section 4.2, with measured means (its empirical form). Layers are taken in groups from
// input to output, each with all groups before it corrected, so that no error is corrected twice.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/quantise/calibrate.h"
#include "optimize/quantise/placement.h"

namespace tachostat::optimize {

struct CorrectOptions {
  model::Variant variant = {};  // f32, without a recipe
  int groups = 4;
  std::function<bool(std::size_t done, std::size_t all)> progress = {};
};

// `recipe` with a shift for its products. Layers whose mean moves by more than twice its size are
// left alone: there the means say nothing. The empty recipe stays empty.
absl::StatusOr<model::Recipe> correct_means(engine::Engine& engine, const model::Graph& declared,
                                            const model::Graph& graph,
                                            const std::vector<Switch>& switches,
                                            const Placement& placement, const model::Recipe& recipe,
                                            const Samples& samples, const CorrectOptions& options);

}  // namespace tachostat::optimize

// Gives accuracy back to a placement that lost too much: the products whose integers disturb the
// outputs most are left in floating point, as few as are needed.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "optimize/calibrate.h"
#include "optimize/quantise/placement.h"

namespace tachostat::app {

struct RepairOptions {
  model::Variant variant = {};  // f32, without a recipe
  std::size_t probes = 4;       // samples that each product is tried on
  std::function<bool(double done)> progress = {};
  // By switch: what it saves. Less disturbance is worth more where little time is lost by it.
  std::vector<double> saved_ns = {};
  // False: the products that were not looked at come last. May be null.
  std::function<bool()> search_on = {};
};

// Indices of the products that are on, those first that disturb most for the time that they save:
// each is quantised alone, and the model's outputs are held against f32's (relative squared
// difference).
absl::StatusOr<std::vector<std::size_t>> most_disturbing(
    engine::Engine& engine, const model::Graph& declared, const model::Graph& graph,
    const std::vector<optimize::Switch>& switches, const optimize::Placement& placement,
    const optimize::Calibration& calibration, const optimize::QuantiseOptions& ranges,
    const optimize::Samples& samples, const RepairOptions& options);

// The placement without the first `count` of these; nothing at all when
// no product is left.
optimize::Placement without(const std::vector<optimize::Switch>& switches,
                            optimize::Placement placement,
                            const std::vector<std::size_t>& disturbing, std::size_t count);

}  // namespace tachostat::app

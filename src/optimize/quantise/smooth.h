// SmoothQuant for a placement: moves what is uneven between channels from tensors into weights,
// before both are rounded (model::Smooth has the method).
#pragma once

#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "model/steps.h"
#include "optimize/calibrate.h"
#include "optimize/quantise/places.h"

namespace tachostat::optimize {

// What a recipe starts with, and the statistics of the tensors behind it.
struct Smoothing {
  model::Recipe::Step step = {};
  std::set<model::Edge> edges = {};  // whose tensors are smoothed
  Calibration calibration = {};      // of those, by source_of(edge)

  bool empty() const { return edges.empty(); }
};

// For products that are on, have constant weights, and read their input as it was computed (not
// through a reshape, which could mix channels). `placement` as in placement.h. Empty where there
// are none.
absl::StatusOr<Smoothing> smoothing_of(engine::Engine& engine, const model::Graph& declared,
                                       const model::Graph& graph,
                                       const std::vector<Switch>& switches,
                                       const std::vector<bool>& placement,
                                       const Calibration& calibration, const Samples& samples,
                                       const CalibrateOptions& options);

}  // namespace tachostat::optimize

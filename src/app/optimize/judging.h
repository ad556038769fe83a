// How accurate variants are on a part of the data, beside the reference on the same samples.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "verify/data/dataset.h"
#include "verify/metrics/metric.h"

namespace tachostat::app {

struct Scores {
  std::vector<double> reference = {};                // by sample, in the order asked for
  std::vector<std::vector<double>> candidates = {};  // by candidate, likewise
  std::vector<std::size_t> non_finite = {};          // by candidate: samples with NaN or infinity
  // By candidate: it computes what the reference computes, only on other threads or shapes.
  std::vector<bool> same = {};
};

struct Court {
  engine::Engine& engine;
  const model::Graph& graph;
  const verify::Dataset& data;
  const verify::Metric& metric;
  model::Variant reference;
};

// Each sample is run once by the reference and by every candidate. `progress` may be null; false
// stops with Cancelled.
absl::StatusOr<Scores> judge(const Court& court, std::span<const model::Variant> candidates,
                             std::span<const std::size_t> samples,
                             const std::function<bool(std::size_t done)>& progress);

}  // namespace tachostat::app

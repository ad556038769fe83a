// Judges any system's outputs on one model's data, beside the model in f32 on the same samples: the
// optimiser's parts of the data, its metric and its bound.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "verify/data/dataset.h"
#include "verify/data/split.h"
#include "verify/metrics/drop.h"
#include "verify/metrics/metric.h"

namespace tachostat {

struct Judgement {
  std::vector<double> scores = {}, reference = {};  // by sample, as they came
  std::size_t non_finite = 0;                       // samples
  verify::Drop drop = {};
};

class Court {
 public:
  // `metric` as verify::make_metric takes it; empty: what suits the data.
  static absl::StatusOr<std::unique_ptr<Court>> open(engine::Engine& engine,
                                                     const std::string& model,
                                                     const std::string& data,
                                                     const std::string& metric, std::uint64_t seed);

  const model::Graph& graph() const { return graph_; }
  const verify::Dataset& data() const { return *data_; }
  const verify::Metric& metric() const { return *metric_; }
  const verify::Splits& splits() const { return splits_; }

  // What `system` answered to a sample. Outputs are in the graph's order, whatever their names.
  absl::Status add(const std::string& system, std::size_t sample,
                   std::vector<engine::Tensor> outputs);
  // Of what was added since the last time.
  absl::StatusOr<Judgement> finish(const std::string& system);

 private:
  struct Seat {
    std::unique_ptr<verify::Judge> reference, system;
  };
  Court() = default;
  absl::StatusOr<std::vector<engine::Tensor>> truth(std::size_t sample);

  model::Graph graph_;
  std::unique_ptr<const verify::Dataset> data_;
  std::unique_ptr<const verify::Metric> metric_;
  verify::Splits splits_;
  std::unique_ptr<engine::Session> reference_;
  std::map<std::size_t, std::vector<engine::Tensor>> kept_;  // of truth()
  std::size_t kept_bytes_ = 0;
  std::map<std::string, Seat> seats_;
};

}  // namespace tachostat

// Runs a model over samples and looks at the tensors on given edges.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "model/steps.h"
#include "optimize/quantise/statistics.h"

namespace tachostat::optimize {

// Samples to learn from. `at` may be called from one thread at a time.
struct Samples {
  std::size_t count = 0;
  std::function<absl::StatusOr<std::vector<engine::Tensor>>(std::size_t)> at = {};
};

struct CalibrateOptions {
  model::Variant variant = {};  // how the model runs meanwhile; its recipe is applied first
  // As the variant's recipe leaves it, with the shapes of a usual sample; null: the graph's own.
  const model::Graph* shaped = nullptr;
  // Tensors are looked at in groups of about so many bytes per sample.
  std::size_t group_bytes = std::size_t{1} << 30;
  // Of one group, over all samples: large tensors say enough in fewer samples.
  std::size_t looked_at_bytes = std::size_t{12} << 30;
  // Steps done and in all; false stops. May be null.
  std::function<bool(std::size_t done, std::size_t all)> progress = {};
};

// The layer and output that an edge's tensor comes from, as text: equal for edges with the same
// source. Layers of several outputs are told apart by edge.
std::string source_of(const model::Graph& graph, const model::Edge& edge);

// One sample's tensor at a source_of(edge). Channels are axis 1, or the last one where the rank is
// below 3 or `channels_last`.
using Look = std::function<void(const std::string& source, std::span<const float> values,
                                const model::Shape& shape, bool channels_last)>;

// Shows the tensors on these edges, sample by sample; those with the same source once. Errors:
// Cancelled when progress says so; what the engine or the samples say.
absl::Status look_at(engine::Engine& engine, const model::Graph& graph,
                     const std::vector<model::Edge>& edges, const Samples& samples,
                     const CalibrateOptions& options, const Look& look);

// By source_of(edge).
using Calibration = std::map<std::string, TensorStatistics>;

// Errors: those of look_at.
absl::StatusOr<Calibration> calibrate(engine::Engine& engine, const model::Graph& graph,
                                      const std::vector<model::Edge>& edges, const Samples& samples,
                                      const CalibrateOptions& options);

// One inference, waited for.
absl::StatusOr<std::vector<engine::Tensor>> infer(engine::Session& session,
                                                  std::vector<engine::Tensor> inputs);

}  // namespace tachostat::optimize

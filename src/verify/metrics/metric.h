// What "as accurate" means: a score in [0,1] per sample, 1 best. docs/data.md lists the metrics.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "verify/data/dataset.h"

namespace tachostat::verify {

struct Score {
  double value = 0;
  // NaN or infinity where the reference has a number (without a reference: any NaN). The value is
  // 0.
  bool non_finite = false;
};

// One sample's outputs, as Session::infer gives them.
struct Answer {
  std::size_t sample = 0;  // index in the dataset
  std::span<const engine::Tensor> outputs = {};
  // The f32 reference's outputs for the same sample; may be empty when the metric does not need
  // them.
  std::span<const engine::Tensor> reference = {};
};

// Collects the answers of one pass over a part of the data. Not thread-safe; needs its metric
// alive.
class Judge {
 public:
  virtual ~Judge() = default;
  // Nothing of the answer is kept alive. InvalidArgument: outputs that the metric cannot judge.
  virtual absl::Status add(const Answer& answer) = 0;
  // Scores in the order of add(). Call once.
  virtual absl::StatusOr<std::vector<Score>> finish() = 0;
};

// Immutable and thread-safe. Needs its dataset alive.
class Metric {
 public:
  virtual ~Metric() = default;
  // As make_metric takes it: "top1", "map:0.3".
  virtual std::string_view name() const = 0;
  // False: judged by labels alone, and an Answer may come without the reference's outputs. True:
  // the reference itself scores 1 by definition.
  virtual bool needs_reference() const = 0;
  virtual std::unique_ptr<Judge> judge() const = 0;
};

struct MetricOptions {
  // How long a user's program may take to judge one pass.
  std::chrono::seconds program_timeout{600};
};

// `text`: "top1", "top5", "text", "text:ALPHABET_FILE", "map", "map:0.3", "cosine", "kl",
// "agreement" or "program:COMMAND". `data` outlives the metric. InvalidArgument says what is
// possible, or why this metric does not suit this model or these labels.
absl::StatusOr<std::unique_ptr<const Metric>> make_metric(std::string_view text,
                                                          const Dataset& data,
                                                          const model::Graph& graph,
                                                          const MetricOptions& options = {});

// The metric that suits labels and output shapes, and why, in one sentence.
struct DefaultMetric {
  std::string text;
  std::string reason;
};
DefaultMetric default_metric(const Dataset& data, const model::Graph& graph);

}  // namespace tachostat::verify

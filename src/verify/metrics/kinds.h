// The metrics, one file each, and what they share. registry.cc lists them by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "verify/metrics/metric.h"
#include "verify/metrics/outputs.h"

namespace tachostat::verify {

struct MetricRequest {
  std::string argument;  // after the colon; empty when there is none
  const Dataset& data;
  const model::Graph& graph;
  MetricOptions options = {};
};
using MadeMetric = absl::StatusOr<std::unique_ptr<const Metric>>;

MadeMetric make_top1(const MetricRequest& request);
MadeMetric make_top5(const MetricRequest& request);
MadeMetric make_text(const MetricRequest& request);
MadeMetric make_map(const MetricRequest& request);
MadeMetric make_cosine(const MetricRequest& request);
MadeMetric make_kl(const MetricRequest& request);
MadeMetric make_agreement(const MetricRequest& request);
MadeMetric make_program(const MetricRequest& request);

// An answer's outputs as numbers, in the reference's order where there is one.
struct Judged {
  std::size_t sample = 0;
  std::vector<Output> outputs;
  std::vector<Output> reference;  // empty, or as many as outputs, of the same names and shapes
};

// InvalidArgument: outputs other than the reference's by name, a missing reference that is needed.
// `same_shapes` becomes false, and nothing is filled in, where shapes differ: it scores 0.
absl::StatusOr<Judged> judged_of(const Answer& answer, bool needs_reference, bool& same_shapes);
bool is_non_finite(const Judged& judged);

// A metric that scores each sample for itself.
class SampleMetric : public Metric {
 public:
  std::string_view name() const override { return name_; }
  bool needs_reference() const override { return needs_reference_; }
  std::unique_ptr<Judge> judge() const override;

  // Called with finite outputs (or not finite where the reference is not either). The result is
  // clipped to [0,1].
  virtual absl::StatusOr<double> score(const Judged& judged) const = 0;

 protected:
  SampleMetric(std::string name, bool needs_reference)
      : name_(std::move(name)), needs_reference_(needs_reference) {}

 private:
  std::string name_;
  bool needs_reference_;
};

// What an output is compared with: the sample's label where labels are arrays, else the reference's
// output. InvalidArgument when a label has another number of elements than the output.
absl::StatusOr<std::vector<double>> target_of(const Judged& judged, std::size_t output,
                                              const Dataset& data);

}  // namespace tachostat::verify

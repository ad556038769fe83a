// agreement: the share of an output's rows whose largest class is the reference's; without a class
// axis the share of elements within 1 % of the reference's largest magnitude; of whole numbers the
// share that is equal. The mean over the outputs.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

constexpr double kTolerance = 0.01;

double rows_agreed(const Output& output, const Output& reference) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < rows_of(output); ++i) {
    same += largest_of(row_of(output, i)) == largest_of(row_of(reference, i)) ? 1 : 0;
  }
  return static_cast<double>(same) / static_cast<double>(rows_of(output));
}

double elements_agreed(const Output& output, const Output& reference) {
  double largest = 0;
  for (const double value : reference.values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  const double allowed = output.floating ? kTolerance * largest : 0;
  std::size_t same = 0;
  for (std::size_t i = 0; i < output.values.size(); ++i) {
    const double found = output.values[i];
    const double wanted = reference.values[i];
    same += found == wanted || std::abs(found - wanted) <= allowed ||
                    (std::isnan(found) && std::isnan(wanted))
                ? 1
                : 0;
  }
  return static_cast<double>(same) / static_cast<double>(output.values.size());
}

class OutputAgreement final : public SampleMetric {
 public:
  OutputAgreement() : SampleMetric("agreement", true) {}

  absl::StatusOr<double> score(const Judged& judged) const override {
    double sum = 0;
    for (std::size_t i = 0; i < judged.outputs.size(); ++i) {
      const Output& output = judged.outputs[i];
      const Output& reference = judged.reference[i];
      if (output.values.empty()) {
        sum += 1;
      } else if (output.floating && has_class_axis(output.shape)) {
        sum += rows_agreed(output, reference);
      } else {
        sum += elements_agreed(output, reference);
      }
    }
    return sum / static_cast<double>(judged.outputs.size());
  }
};

}  // namespace

MadeMetric make_agreement(const MetricRequest&) { return std::make_unique<OutputAgreement>(); }

}  // namespace tachostat::verify

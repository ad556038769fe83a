// kl: exp(-KL(reference || candidate)), the mean divergence over the rows of the first output with
// a class axis. Rows may be probabilities, their logarithms, or scores (softmax is applied).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

enum class Kind { kProbabilities, kLogarithms, kScores };

Kind kind_of(std::span<const double> row) {
  const auto near_one = [](double sum) { return std::abs(sum - 1) < 1e-2; };
  const auto [low, high] = std::minmax_element(row.begin(), row.end());
  if (*low >= 0 && near_one(std::accumulate(row.begin(), row.end(), 0.0))) {
    return Kind::kProbabilities;
  }
  const double sum = std::accumulate(row.begin(), row.end(), 0.0,
                                     [](double all, double x) { return all + std::exp(x); });
  return *high <= 0 && near_one(sum) ? Kind::kLogarithms : Kind::kScores;
}

// Smoothed a little, so that one lost class does not make the divergence infinite.
std::vector<double> probabilities_of(std::span<const double> row, Kind kind) {
  constexpr double kFloor = 1e-7;
  std::vector<double> result(row.begin(), row.end());
  if (kind != Kind::kProbabilities) {
    const double largest = *std::max_element(row.begin(), row.end());
    for (double& value : result) value = std::exp(value - largest);
  }
  for (double& value : result) value = std::max(value, 0.0);
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  const double classes = static_cast<double>(row.size());
  for (double& value : result) {
    value = sum > 0 ? (value / sum + kFloor) / (1 + kFloor * classes) : 1 / classes;
  }
  return result;
}

double divergence(std::span<const double> reference, std::span<const double> candidate) {
  const Kind kind = kind_of(reference);
  const std::vector<double> p = probabilities_of(reference, kind);
  const std::vector<double> q = probabilities_of(candidate, kind);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] * std::log(p[i] / q[i]);
  return std::max(sum, 0.0);
}

class Divergence final : public SampleMetric {
 public:
  Divergence() : SampleMetric("kl", true) {}

  absl::StatusOr<double> score(const Judged& judged) const override {
    const Output* output = class_output(judged.outputs);
    const Output* reference = class_output(judged.reference);
    if (output == nullptr || reference == nullptr) {
      return base::invalid_argument("kl: no output with a class axis, such as [1,classes]");
    }
    double sum = 0;
    for (std::size_t i = 0; i < rows_of(*output); ++i) {
      sum += divergence(row_of(*reference, i), row_of(*output, i));
    }
    return std::exp(-sum / static_cast<double>(rows_of(*output)));
  }
};

}  // namespace

MadeMetric make_kl(const MetricRequest&) { return std::make_unique<Divergence>(); }

}  // namespace tachostat::verify

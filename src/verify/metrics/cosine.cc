// cosine: between output and reference (or label array); of several outputs the least.
#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

double largest_magnitude(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

// Both scaled, so that no square overflows. Two vectors of zeros are the same.
double cosine_of(const std::vector<double>& a, const std::vector<double>& b) {
  const double a_scale = largest_magnitude(a);
  const double b_scale = largest_magnitude(b);
  if (a_scale == 0 || b_scale == 0) return a_scale == b_scale ? 1 : 0;
  double dot = 0;
  double a_square = 0;
  double b_square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) continue;  // a mask of -infinity, say
    const double x = a[i] / a_scale;
    const double y = b[i] / b_scale;
    dot += x * y;
    a_square += x * x;
    b_square += y * y;
  }
  return dot / std::sqrt(a_square * b_square);
}

class Cosine final : public SampleMetric {
 public:
  explicit Cosine(const Dataset& data)
      : SampleMetric("cosine", data.labels().kind != LabelKind::kNumbers), data_(data) {}

  // Against a label only the first floating output is looked at.
  absl::StatusOr<double> score(const Judged& judged) const override {
    double least = 1;
    bool any = false;
    for (std::size_t i = 0; i < judged.outputs.size(); ++i) {
      if (!judged.outputs[i].floating || (any && !needs_reference())) continue;
      TS_ASSIGN_OR_RETURN(const std::vector<double> target, target_of(judged, i, data_));
      least = std::min(least, cosine_of(judged.outputs[i].values, target));
      any = true;
    }
    if (!any) return base::invalid_argument("cosine: no output of floating numbers");
    return least;
  }

 private:
  const Dataset& data_;
};

}  // namespace

MadeMetric make_cosine(const MetricRequest& request) {
  return std::make_unique<Cosine>(request.data);
}

}  // namespace tachostat::verify

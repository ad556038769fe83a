// map: overlap (intersection over union) of where an output map is above a threshold, with where
// the label map or the reference's map is. For detectors that answer with a probability per pixel.
#include <charconv>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

class MapOverlap final : public SampleMetric {
 public:
  MapOverlap(double threshold, const Dataset& data)
      : SampleMetric(fmt::format("map:{}", threshold), data.labels().kind != LabelKind::kNumbers),
        threshold_(threshold),
        data_(data) {}

  // Of the first floating output.
  absl::StatusOr<double> score(const Judged& judged) const override {
    std::size_t output = 0;
    while (output < judged.outputs.size() && !judged.outputs[output].floating) ++output;
    if (output == judged.outputs.size()) {
      return base::invalid_argument("map: the model has no output of floating numbers");
    }
    TS_ASSIGN_OR_RETURN(const std::vector<double> target, target_of(judged, output, data_));
    std::size_t both = 0;
    std::size_t either = 0;
    for (std::size_t i = 0; i < target.size(); ++i) {
      const bool found = judged.outputs[output].values[i] > threshold_;
      const bool wanted = target[i] > threshold_;
      both += found && wanted ? 1 : 0;
      either += found || wanted ? 1 : 0;
    }
    return either == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(either);
  }

 private:
  double threshold_;
  const Dataset& data_;
};

}  // namespace

MadeMetric make_map(const MetricRequest& request) {
  double threshold = 0.3;
  const std::string& text = request.argument;
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threshold);
    if (error != std::errc() || end != text.data() + text.size() || !(threshold > 0) ||
        !(threshold < 1)) {
      return base::invalid_argument("map:{}: expected a threshold above 0 and below 1, as map:0.3",
                                    text);
    }
  }
  return std::make_unique<MapOverlap>(threshold, request.data);
}

}  // namespace tachostat::verify

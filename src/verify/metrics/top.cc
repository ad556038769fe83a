// top1 and top5: the label, or the class that the reference finds, is among the largest.
#include <algorithm>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

// How many classes come before `wanted`: larger ones, and equal ones with a lower number.
std::size_t rank_of(std::span<const double> row, std::size_t wanted) {
  std::size_t before = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    before += row[i] > row[wanted] || (row[i] == row[wanted] && i < wanted) ? 1 : 0;
  }
  return before;
}

class Top final : public SampleMetric {
 public:
  Top(std::size_t k, const Dataset& data)
      : SampleMetric(fmt::format("top{}", k), data.labels().kind == LabelKind::kNone),
        k_(k),
        data_(data) {}

  absl::StatusOr<double> score(const Judged& judged) const override {
    const Output* output = class_output(judged.outputs);
    if (output == nullptr || rows_of(*output) != 1) {
      return base::invalid_argument("{}: no output with one score per class, [1,classes]", name());
    }
    const std::span<const double> row = row_of(*output, 0);
    std::int64_t wanted = 0;
    if (needs_reference()) {
      const Output* reference = class_output(judged.reference);
      wanted = static_cast<std::int64_t>(largest_of(row_of(*reference, 0)));
    } else {
      wanted = data_.labels().classes[judged.sample];
    }
    if (wanted < 0 || wanted >= static_cast<std::int64_t>(row.size())) {
      return base::invalid_argument("label {} of sample {}: output '{}' has classes 0 to {}",
                                    wanted, judged.sample, output->name, row.size() - 1);
    }
    return rank_of(row, static_cast<std::size_t>(wanted)) < k_ ? 1 : 0;
  }

 private:
  std::size_t k_;
  const Dataset& data_;
};

MadeMetric make_top(std::size_t k, const MetricRequest& request) {
  const Labels& labels = request.data.labels();
  if (labels.kind != LabelKind::kNone && labels.kind != LabelKind::kClass) {
    return base::invalid_argument("top{} needs whole numbers as labels, the data has {}", k,
                                  name_of(labels.kind));
  }
  const auto& outputs = request.graph.outputs;
  const auto scores = std::find_if(outputs.begin(), outputs.end(), [](const model::Port& port) {
    return has_class_axis(port.shape);
  });
  if (scores == outputs.end()) {
    return base::invalid_argument("top{}: the model has no output with one score per class", k);
  }
  const std::int64_t classes = scores->shape.back();
  for (std::size_t i = 0; i < labels.classes.size() && classes > 0; ++i) {
    const std::int64_t label = labels.classes[i];
    if (label >= 0 && label < classes) continue;
    return base::invalid_argument("label {} of sample {}: output '{}' {} has classes 0 to {}",
                                  label, i, scores->name, model::to_string(scores->shape),
                                  classes - 1);
  }
  return std::make_unique<Top>(k, request.data);
}

}  // namespace

MadeMetric make_top1(const MetricRequest& request) { return make_top(1, request); }
MadeMetric make_top5(const MetricRequest& request) { return make_top(5, request); }

}  // namespace tachostat::verify

#include "verify/metrics/kinds.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace tachostat::verify {
namespace {

class SampleJudge final : public Judge {
 public:
  explicit SampleJudge(const SampleMetric& metric) : metric_(metric) {}

  absl::Status add(const Answer& answer) override {
    bool same_shapes = true;
    TS_ASSIGN_OR_RETURN(const Judged judged,
                        judged_of(answer, metric_.needs_reference(), same_shapes));
    Score& score = scores_.emplace_back();
    if (!same_shapes) return absl::OkStatus();
    score.non_finite = is_non_finite(judged);
    if (score.non_finite) return absl::OkStatus();
    TS_ASSIGN_OR_RETURN(const double value, metric_.score(judged));
    score.value = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<Score>> finish() override { return std::move(scores_); }

 private:
  const SampleMetric& metric_;
  std::vector<Score> scores_;
};

// The candidate's outputs in the reference's order.
absl::StatusOr<std::vector<Output>> ordered(std::vector<Output> outputs,
                                            const std::vector<Output>& reference) {
  if (outputs.size() != reference.size()) {
    return base::invalid_argument("expected {} outputs as the reference has, found {}",
                                  reference.size(), outputs.size());
  }
  std::vector<Output> result;
  for (const Output& wanted : reference) {
    const auto found = std::find_if(outputs.begin(), outputs.end(), [&](const Output& output) {
      return output.name == wanted.name;
    });
    if (found == outputs.end()) {
      return base::invalid_argument("the candidate has no output '{}', which the reference has",
                                    wanted.name);
    }
    result.push_back(std::move(*found));
  }
  return result;
}

}  // namespace

absl::StatusOr<Judged> judged_of(const Answer& answer, bool needs_reference, bool& same_shapes) {
  if (answer.outputs.empty()) return base::invalid_argument("the model gave no outputs");
  Judged judged{.sample = answer.sample, .outputs = {}, .reference = {}};
  TS_ASSIGN_OR_RETURN(judged.outputs, outputs_of(answer.outputs));
  if (answer.reference.empty()) {
    if (!needs_reference) return judged;
    return base::invalid_argument("sample {} has no reference outputs to compare with",
                                  answer.sample);
  }
  TS_ASSIGN_OR_RETURN(judged.reference, outputs_of(answer.reference));
  TS_ASSIGN_OR_RETURN(judged.outputs, ordered(std::move(judged.outputs), judged.reference));
  same_shapes = std::equal(
      judged.outputs.begin(), judged.outputs.end(), judged.reference.begin(),
      [](const Output& output, const Output& wanted) { return output.shape == wanted.shape; });
  return judged;
}

bool is_non_finite(const Judged& judged) {
  for (std::size_t i = 0; i < judged.outputs.size(); ++i) {
    const std::vector<double>& values = judged.outputs[i].values;
    if (judged.reference.empty()) {
      if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
        return true;
      }
      continue;
    }
    const std::vector<double>& reference = judged.reference[i].values;
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (!std::isfinite(values[j]) && std::isfinite(reference[j])) return true;
    }
  }
  return false;
}

std::unique_ptr<Judge> SampleMetric::judge() const { return std::make_unique<SampleJudge>(*this); }

absl::StatusOr<std::vector<double>> target_of(const Judged& judged, std::size_t output,
                                              const Dataset& data) {
  if (data.labels().kind != LabelKind::kNumbers) return judged.reference[output].values;
  TS_ASSIGN_OR_RETURN(Label label, data.labels().at(judged.sample));
  std::vector<double> values = std::get<Numbers>(std::move(label)).values;
  const Output& found = judged.outputs[output];
  if (values.size() == found.values.size()) return values;
  return base::invalid_argument(
      "the label of sample {} has {} elements, output '{}' {} has {}: expected as many",
      judged.sample, values.size(), found.name, model::to_string(found.shape), found.values.size());
}

}  // namespace tachostat::verify

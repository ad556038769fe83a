// text: a recogniser's output [1,steps,classes] read by greedy CTC (the largest class of each step,
// repeats joined, blanks, class 0, left out); 1 - character error rate, not below 0.
#include <algorithm>

#include "base/status.h"
#include "base/utf8.h"
#include "verify/metrics/alphabet.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

using Codes = std::vector<std::uint32_t>;

Codes classes_read(const Output& output) {
  Codes read;
  std::size_t previous = 0;
  for (std::size_t i = 0; i < rows_of(output); ++i) {
    const std::size_t best = largest_of(row_of(output, i));
    if (best != previous && best != 0) read.push_back(static_cast<std::uint32_t>(best));
    previous = best;
  }
  return read;
}

double score_of(const Codes& truth, const Codes& read) {
  const double length = static_cast<double>(std::max<std::size_t>(truth.size(), 1));
  return 1 - static_cast<double>(edit_distance(truth, read)) / length;
}

// The first output of steps and classes.
const Output* steps_output(const std::vector<Output>& outputs) {
  const auto found = std::find_if(outputs.begin(), outputs.end(), [](const Output& output) {
    const std::size_t axes = output.shape.size();
    return output.floating && !output.values.empty() && has_class_axis(output.shape) &&
           (axes == 2 || (axes == 3 && output.shape[0] == 1));
  });
  return found == outputs.end() ? nullptr : &*found;
}

class Text final : public SampleMetric {
 public:
  Text(std::string name, Symbols symbols, const Dataset& data)
      : SampleMetric(std::move(name), data.labels().kind == LabelKind::kNone),
        symbols_(std::move(symbols)),
        data_(data) {}

  absl::StatusOr<double> score(const Judged& judged) const override {
    const Output* output = steps_output(judged.outputs);
    if (output == nullptr) {
      return base::invalid_argument("text: no output [1,steps,classes] or [steps,classes]");
    }
    const Codes read = classes_read(*output);
    if (needs_reference()) return score_of(classes_read(*steps_output(judged.reference)), read);
    if (output->shape.back() > static_cast<std::int64_t>(symbols_.size())) {
      return base::invalid_argument("text: output '{}' has {} classes, the alphabet {}",
                                    output->name, output->shape.back(), symbols_.size());
    }
    Codes text;
    for (const std::uint32_t number : read) {
      const Codes& symbol = symbols_[number];
      text.insert(text.end(), symbol.begin(), symbol.end());
    }
    return score_of(truth_of(judged.sample), text);
  }

 private:
  // Texts that are all whole numbers come as classes.
  Codes truth_of(std::size_t sample) const {
    const Labels& labels = data_.labels();
    return base::code_points(labels.kind == LabelKind::kText
                                 ? labels.texts[sample]
                                 : std::to_string(labels.classes[sample]));
  }

  Symbols symbols_;
  const Dataset& data_;
};

}  // namespace

MadeMetric make_text(const MetricRequest& request) {
  const LabelKind kind = request.data.labels().kind;
  if (kind == LabelKind::kNumbers) {
    return base::invalid_argument("text needs texts as labels, the data has arrays");
  }
  const auto& outputs = request.graph.outputs;
  const auto steps = std::find_if(outputs.begin(), outputs.end(), [](const model::Port& port) {
    return has_class_axis(port.shape) && port.shape.size() >= 2;
  });
  if (steps == outputs.end()) {
    return base::invalid_argument("text: the model has no output [1,steps,classes]");
  }
  Symbols symbols;
  if (kind != LabelKind::kNone) {
    auto found = find_alphabet(request.argument, request.data, request.graph, steps->shape.back());
    TS_RETURN_IF_ERROR(base::with_context(found.status(), "text"));
    symbols = *std::move(found);
  }
  std::string name = request.argument.empty() ? "text" : "text:" + request.argument;
  return std::make_unique<Text>(std::move(name), std::move(symbols), request.data);
}

}  // namespace tachostat::verify

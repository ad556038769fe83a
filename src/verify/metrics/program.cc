// program:COMMAND: the user's own measure. docs/data.md says what the program finds and prints.
#include <charconv>
#include <map>

#include "base/status.h"
#include "verify/data/npz_writer.h"
#include "verify/metrics/kinds.h"
#include "verify/metrics/process.h"

namespace tachostat::verify {
namespace {

// The outputs of one side, an array per name.
class Side {
 public:
  absl::Status add(std::span<const engine::Tensor> tensors, const std::filesystem::path& folder,
                   std::string_view side) {
    for (const engine::Tensor& tensor : tensors) {
      auto spool = spools_.find(tensor.name);
      if (spool == spools_.end()) {
        const std::string file = folder / fmt::format("{}-{}.spool", side, spools_.size());
        TS_ASSIGN_OR_RETURN(SampleSpool created, SampleSpool::create(tensor.name, file));
        spool = spools_.emplace(tensor.name, std::move(created)).first;
      }
      TS_RETURN_IF_ERROR(spool->second.add(tensor));
    }
    return absl::OkStatus();
  }
  absl::Status write(const std::string& path) const {
    NpzWriter writer;
    for (const auto& [name, spool] : spools_) TS_RETURN_IF_ERROR(writer.add(spool));
    return writer.write(path);
  }

 private:
  std::map<std::string, SampleSpool> spools_;
};

absl::StatusOr<double> parse_score(std::string_view line, std::size_t number) {
  double value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error == std::errc() && end == line.data() + line.size() && value >= 0 && value <= 1) {
    return value;
  }
  return base::invalid_argument("line {} is '{}': expected a score from 0 to 1", number,
                                line.substr(0, 60));
}

absl::StatusOr<std::vector<double>> parse_scores(std::string_view text, std::size_t samples) {
  std::vector<double> scores;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (line.empty()) continue;
    TS_ASSIGN_OR_RETURN(const double score, parse_score(line, scores.size() + 1));
    scores.push_back(score);
  }
  if (scores.size() == samples) return scores;
  return base::invalid_argument("printed {} scores: expected {}, one line per sample",
                                scores.size(), samples);
}

class ProgramJudge final : public Judge {
 public:
  ProgramJudge(std::string command, const Dataset& data, const MetricOptions& options)
      : command_(std::move(command)), data_(data), options_(options) {}

  absl::Status add(const Answer& answer) override;
  absl::StatusOr<std::vector<Score>> finish() override;

 private:
  absl::Status write_labels(const std::string& path);

  std::string command_;
  const Dataset& data_;
  MetricOptions options_;
  absl::StatusOr<TemporaryFolder> folder_ = TemporaryFolder::create();
  Side outputs_, reference_;
  std::vector<std::int64_t> samples_;
  std::vector<bool> non_finite_;
};

absl::Status ProgramJudge::add(const Answer& answer) {
  TS_RETURN_IF_ERROR(folder_.status());
  bool same_shapes = true;
  TS_ASSIGN_OR_RETURN(const Judged judged, judged_of(answer, false, same_shapes));
  TS_RETURN_IF_ERROR(outputs_.add(answer.outputs, folder_->path(), "outputs"));
  TS_RETURN_IF_ERROR(reference_.add(answer.reference, folder_->path(), "reference"));
  samples_.push_back(static_cast<std::int64_t>(answer.sample));
  non_finite_.push_back(same_shapes && is_non_finite(judged));
  return absl::OkStatus();
}

absl::Status ProgramJudge::write_labels(const std::string& path) {
  NpzWriter writer;
  TS_RETURN_IF_ERROR(writer.add_numbers("samples", samples_));
  std::vector<std::int64_t> classes;
  std::vector<std::string> texts;
  TS_ASSIGN_OR_RETURN(SampleSpool arrays,
                      SampleSpool::create("labels", folder_->path() / "labels.spool"));
  for (const std::int64_t sample : samples_) {
    if (data_.labels().kind == LabelKind::kNone) break;
    TS_ASSIGN_OR_RETURN(const Label label, data_.labels().at(static_cast<std::size_t>(sample)));
    if (const auto* number = std::get_if<std::int64_t>(&label)) {
      classes.push_back(*number);
    } else if (const auto* text = std::get_if<std::string>(&label)) {
      texts.push_back(*text);
    } else {
      const Numbers& numbers = std::get<Numbers>(label);
      TS_RETURN_IF_ERROR(arrays.add({.name = "labels",
                                     .type = model::DataType::kF64,
                                     .shape = numbers.shape,
                                     .data = std::as_bytes(std::span(numbers.values))}));
    }
  }
  if (!classes.empty()) TS_RETURN_IF_ERROR(writer.add_numbers("labels", classes));
  if (!texts.empty()) TS_RETURN_IF_ERROR(writer.add_texts("labels", texts));
  TS_RETURN_IF_ERROR(writer.add(arrays));
  return writer.write(path);
}

absl::StatusOr<std::vector<Score>> ProgramJudge::finish() {
  TS_RETURN_IF_ERROR(folder_.status());
  const std::filesystem::path& folder = folder_->path();
  TS_RETURN_IF_ERROR(outputs_.write(folder / "outputs.npz"));
  TS_RETURN_IF_ERROR(reference_.write(folder / "reference.npz"));
  TS_RETURN_IF_ERROR(write_labels(folder / "labels.npz"));
  const ProcessOptions options{.timeout = options_.program_timeout,
                               .most_output = (std::size_t{64} << 10) + 64 * samples_.size()};
  // By the shell, so that the command may have arguments of its own; the folder is the last one.
  auto printed =
      run_program({"/bin/sh", "-c", command_ + " \"$@\"", "sh", folder.string()}, options);
  const std::string context = fmt::format("metric program '{}'", command_);
  TS_RETURN_IF_ERROR(base::with_context(printed.status(), context));
  auto scores = parse_scores(*printed, samples_.size());
  TS_RETURN_IF_ERROR(base::with_context(scores.status(), context));
  std::vector<Score> result;
  for (std::size_t i = 0; i < scores->size(); ++i) {
    result.push_back({.value = non_finite_[i] ? 0 : (*scores)[i], .non_finite = non_finite_[i]});
  }
  return result;
}

class Program final : public Metric {
 public:
  explicit Program(const MetricRequest& request)
      : name_("program:" + request.argument), request_(request) {}
  std::string_view name() const override { return name_; }
  // The program may want it; whether it does, only the program knows.
  bool needs_reference() const override { return request_.data.labels().kind == LabelKind::kNone; }
  std::unique_ptr<Judge> judge() const override {
    return std::make_unique<ProgramJudge>(request_.argument, request_.data, request_.options);
  }

 private:
  std::string name_;
  MetricRequest request_;
};

}  // namespace

MadeMetric make_program(const MetricRequest& request) { return std::make_unique<Program>(request); }

}  // namespace tachostat::verify

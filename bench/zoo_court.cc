#include "zoo_court.h"

#include "base/status.h"
#include "optimize/calibrate.h"

namespace tachostat {
namespace {

// The reference's outputs are the same for every system.
constexpr std::size_t kMostKept = std::size_t{2} << 30;

}  // namespace

absl::StatusOr<std::unique_ptr<Court>> Court::open(engine::Engine& engine, const std::string& model,
                                                   const std::string& data,
                                                   const std::string& metric, std::uint64_t seed) {
  auto court = std::unique_ptr<Court>(new Court);
  TS_ASSIGN_OR_RETURN(court->graph_, model::read(model));
  TS_ASSIGN_OR_RETURN(court->data_, verify::Dataset::open(data, court->graph_));
  TS_ASSIGN_OR_RETURN(court->splits_, verify::split(*court->data_, seed));
  const std::string text =
      metric.empty() ? verify::default_metric(*court->data_, court->graph_).text : metric;
  TS_ASSIGN_OR_RETURN(court->metric_, verify::make_metric(text, *court->data_, court->graph_));
  TS_ASSIGN_OR_RETURN(
      court->reference_,
      engine.load(court->graph_, {.precision = model::Precision::kF32}, /*observer=*/nullptr));
  return court;
}

absl::StatusOr<std::vector<engine::Tensor>> Court::truth(std::size_t sample) {
  const auto found = kept_.find(sample);
  if (found != kept_.end()) return found->second;
  TS_ASSIGN_OR_RETURN(const std::vector<engine::Tensor> inputs, data_->sample(sample));
  TS_ASSIGN_OR_RETURN(std::vector<engine::Tensor> outputs, optimize::infer(*reference_, inputs));
  std::size_t bytes = 0;
  for (const engine::Tensor& output : outputs) bytes += output.data.size();
  if (kept_bytes_ + bytes <= kMostKept) {
    kept_[sample] = outputs;
    kept_bytes_ += bytes;
  }
  return outputs;
}

absl::Status Court::add(const std::string& system, std::size_t sample,
                        std::vector<engine::Tensor> outputs) {
  if (sample >= data_->size() || outputs.size() != graph_.outputs.size()) {
    return base::invalid_argument("sample {} of {}, {} outputs, where the model has {}", sample,
                                  data_->size(), outputs.size(), graph_.outputs.size());
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].name = graph_.outputs[i].name;
  Seat& seat = seats_[system];
  if (seat.system == nullptr) seat = {metric_->judge(), metric_->judge()};
  TS_ASSIGN_OR_RETURN(const std::vector<engine::Tensor> right, truth(sample));
  TS_RETURN_IF_ERROR(seat.reference->add({sample, right, right}));
  return seat.system->add({sample, outputs, right});
}

absl::StatusOr<Judgement> Court::finish(const std::string& system) {
  const auto node = seats_.extract(system);
  if (node.empty()) return base::not_found("nothing of '{}' was judged", system);
  Judgement judgement;
  TS_ASSIGN_OR_RETURN(const auto reference, node.mapped().reference->finish());
  TS_ASSIGN_OR_RETURN(const auto scores, node.mapped().system->finish());
  for (const verify::Score& score : reference) judgement.reference.push_back(score.value);
  for (const verify::Score& score : scores) {
    judgement.scores.push_back(score.value);
    judgement.non_finite += score.non_finite ? 1 : 0;
  }
  TS_ASSIGN_OR_RETURN(judgement.drop, verify::paired_drop(judgement.reference, judgement.scores));
  return judgement;
}

}  // namespace tachostat

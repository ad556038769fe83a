// From a proposal to a loaded variant that does what it was asked for and is accurate.
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "govern/learning.h"

namespace tachostat::govern {
namespace {

constexpr base::Duration kMirrorPatience = std::chrono::seconds(30);

}  // namespace

void Learning::load_next() {
  candidate_ = std::move(queue_.front());
  queue_.pop_front();
  const model::Variant& variant = candidate_->proposal.variant;
  const std::string id = variant.id();
  if (candidate_->start) return begin_accuracy();
  if (id == core_.serving()) {  // the ladder was faster
    candidate_.reset();
    return enter(Phase::kObserving);
  }
  if (core_.options.learn == Learn::kShadow && variant.batch > 1) {
    return refuse("batching shows under live load only, which shadow mode leaves alone", false);
  }
  const bool has_companion = core_.loaded.chain(id).size() > 1;
  if (!has_companion && !answers_every_shape(core_.plant.graph(), variant)) {
    // For the same bucket, what serves the other shapes stays; else all that serves now does.
    const std::vector<std::string> serving = core_.loaded.chain(core_.serving());
    const auto point = core_.points().find(core_.serving());
    const bool same_bucket = serving.size() > 1 && point != core_.points().end() &&
                             point->second.variant.shapes == variant.shapes;
    core_.loaded.set_companion(variant, same_bucket ? serving[1] : serving[0]);
  }
  core_.windows.disturb();
  absl::Status status = core_.loaded.load(variant, core_.needed(id));
  if (status.ok() && candidate_->challenger) status = core_.ensure_loaded(id);
  if (!status.ok()) {
    return refuse(fmt::format("it could not be loaded: {}", base::message_of(status)), false);
  }
  const std::string difference = recipe_difference(variant, *core_.loaded.applied(id));
  if (!difference.empty()) {
    return refuse("it did not take its recipe: " + difference, true);
  }
  if (candidate_->accurate) return begin_trial();
  begin_accuracy();
}

model::Variant Learning::reference_variant() const {
  return {.engine = core_.options.start.engine,
          .device = core_.options.start.device,
          .precision = model::Precision::kF32};
}

absl::Status Learning::prepare_reference() {
  if (reference_ == core_.start_variant()) return absl::OkStatus();
  const model::Variant variant = reference_variant();
  core_.windows.disturb();
  TS_RETURN_IF_ERROR(core_.loaded.load_extra(variant));
  reference_ = variant.id();
  const std::string difference = recipe_difference(variant, *core_.loaded.applied(reference_));
  if (difference.empty()) return absl::OkStatus();
  return base::failed_precondition("reference '{}': {}", reference_, difference);
}

void Learning::begin_accuracy() {
  if (const absl::Status status = prepare_reference(); !status.ok()) {
    const std::string why =
        fmt::format("its accuracy cannot be measured: {}", base::message_of(status));
    if (!candidate_->start) return refuse(why, false);
    spdlog::warn("start variant '{}': {}", candidate_->id(), why);
    candidate_.reset();
    return enter(Phase::kObserving);
  }
  const engine::Applied* reference = core_.loaded.applied(reference_);
  const engine::Applied* applied = core_.loaded.applied(candidate_->id());
  const bool same_arithmetic = candidate_->proposal.variant.recipe.empty() &&
                               reference != nullptr && applied != nullptr &&
                               applied->precision == reference->precision;
  accuracy_ = std::make_unique<AccuracyCheck>(core_.targets.max_drop, same_arithmetic);
  pace_ = std::make_unique<MirrorPace>(core_.options.mirror_samples);
  last_mirror_ = core_.clock.now();
  enter(Phase::kAccuracy);
}

void Learning::check_accuracy(const Observation& piece) {
  const base::Time now = core_.clock.now();
  pace_->answered(piece.answered);
  if (pace_->due(now)) {
    core_.windows.disturb();
    const absl::StatusOr<Mirrored> mirrored =
        core_.plant.mirror(reference_, candidate_->id(), pace_->take(now));
    if (!mirrored.ok()) {
      const std::string why = fmt::format("mirrored requests could not be compared: {}",
                                          base::message_of(mirrored.status()));
      if (!candidate_->start) return refuse(why, false);
      spdlog::warn("start variant '{}': {}", candidate_->id(), why);
      candidate_.reset();
      return enter(Phase::kObserving);
    }
    if (mirrored->agreement.samples > 0) last_mirror_ = now;
    accuracy_->add(mirrored->agreement);
  }
  if (accuracy_->verdict() != AccuracyCheck::Verdict::kMore) return end_accuracy();
  if (now - last_mirror_ > kMirrorPatience) {
    postpone(fmt::format("no live request to compare outputs on for {:.0f} s",
                         base::to_seconds(now - last_mirror_)));
  }
}

void Learning::end_accuracy() {
  candidate_->agreement = accuracy_->agreement();
  candidate_->accuracy = accuracy_->sentence();
  candidate_->drop_bound = accuracy_->drop_bound();
  candidate_->accurate = accuracy_->verdict() == AccuracyCheck::Verdict::kAccurate;
  if (candidate_->start) return end_start_check();
  if (!candidate_->accurate) {
    const std::string id = candidate_->id();
    refuse("not accurate: " + candidate_->accuracy, false);
    inaccurate_.insert(id);
    return;
  }
  if (core_.options.learn == Learn::kShadow) return begin_shadow();
  begin_trial();
}

// The user chose the start variant, but also how much accuracy it may cost.
void Learning::end_start_check() {
  const Candidate start = *std::exchange(candidate_, std::nullopt);
  enter(Phase::kObserving);
  const auto point = core_.points().find(start.id());
  if (point != core_.points().end()) {
    verify::Point checked = point->second;
    checked.drop_bound = start.drop_bound;
    core_.set_point(std::move(checked));
  }
  core_.decide(start.accurate ? "proved" : "refused", start.id(), start.id(),
               fmt::format("the start variant {}: {}", start.accurate ? "is accurate" : "is not",
                           start.accuracy),
               {{"labels", start.agreement.labels},
                {"label_agreement", start.agreement.label_agreement},
                {"drop_bound", start.drop_bound},
                {"max_drop", core_.targets.max_drop}});
  if (start.accurate || core_.options.learn != Learn::kOn || core_.serving() != start.id()) return;
  const model::Variant reference = reference_variant();
  core_.set_point({.variant = reference, .memory_bytes = core_.plant.memory_bytes(reference.id())});
  Choice choice = core_.choice_of(reference, 0);
  choice.reason =
      fmt::format("{} is replaced by the f32 reference: {}", start.id(), start.accuracy);
  if (const absl::Status status = core_.switch_to(choice, {{"drop_bound", start.drop_bound}});
      !status.ok()) {
    spdlog::warn("the f32 reference could not take over: {}", status.ToString());
    core_.remove_point(reference.id());
    return;
  }
  queue_.clear();  // candidates were made for the start variant
  serving_changed();
}

}  // namespace tachostat::govern

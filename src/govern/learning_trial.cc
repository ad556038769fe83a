// From an accurate candidate to a verdict on its speed, and what follows from it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "govern/learning.h"

namespace tachostat::govern {
namespace {

constexpr int kMostPostponed = 5;

double p99_ms(const Observation& seen) {
  return static_cast<double>(seen.latency.quantile(0.99)) / 1e6;
}

nlohmann::json json_of(const verify::Trial& trial) {
  return nlohmann::json::parse(verify::to_json(trial), nullptr, false);
}

}  // namespace

template <class AnyTrial>
verify::Trial Learning::summary(const AnyTrial* trial) const {
  const optimize::Proposal& proposal = candidate_->proposal;
  verify::Trial result;
  result.base = core_.serving();
  result.candidate = candidate_->id();
  result.proposer = proposal.proposer;
  result.finding = proposal.finding;
  result.reason = proposal.reason;
  result.agreement = candidate_->agreement;
  result.memory_bytes = core_.plant.memory_bytes(result.candidate);
  if (trial == nullptr) return result;
  result.pairs = trial->test().pairs();
  result.ratio = trial->test().ratio();
  result.ratio_low = trial->test().ratio_low();
  result.ratio_high = trial->test().ratio_high();
  result.base_requests = trial->base().answered;
  result.candidate_requests = trial->candidate().answered;
  result.base_p99_ms = p99_ms(trial->base());
  result.candidate_p99_ms = p99_ms(trial->candidate());
  return result;
}

void Learning::begin_trial() {
  if (candidate_->drop_bound > core_.targets.max_drop) {
    return refuse(fmt::format("its drop may be {:.2g} %, over the allowed {:g} %",
                              candidate_->drop_bound * 100, core_.targets.max_drop * 100),
                  false);
  }
  const auto base = core_.points().find(core_.serving());
  if (base == core_.points().end()) return postpone("what serves is not verified");
  base_choice_ = core_.choice_of(base->second.variant, base->second.service_ms);
  candidate_choice_ = core_.choice_of(candidate_->proposal.variant, base->second.service_ms);
  trial_ = std::make_unique<LiveTrial>(
      LiveTrialOptions{.block = core_.options.block,
                       .settle = core_.options.settle,
                       .min_block_requests = core_.options.min_block_requests,
                       .test = core_.options.test},
      before_, random_, [this](bool candidate) {
        return core_.publish(candidate ? candidate_choice_ : base_choice_);
      });
  core_.decide("trial", core_.serving(), candidate_->id(),
               fmt::format("trying {} on live traffic against {} (p99 {:.3g} ms at {:.3g} "
                           "requests/s), because {}",
                           candidate_->id(), core_.serving(), p99_ms(before_),
                           before_.arrival_rate(), candidate_->proposal.reason),
               {{"proposer", candidate_->proposal.proposer},
                {"finding", candidate_->proposal.finding},
                {"expected_gain", candidate_->proposal.expected_gain},
                {"accuracy", candidate_->accuracy},
                {"traffic", numbers_of(before_)}});
  enter(Phase::kTrial);
}

void Learning::follow_trial(const Observation& piece) {
  if (trial_->step(piece) == LiveTrial::State::kRunning) return;
  end_live_trial();
}

void Learning::end_live_trial() {
  verify::Trial summary_of_trial = summary(trial_.get());
  const LiveTrial::State state = trial_->state();
  const std::string sentence = trial_->sentence();
  if (state == LiveTrial::State::kPostponed) return postpone(sentence);
  const auto base = core_.points().find(core_.serving());
  if (base != core_.points().end() && trial_->base().answered > 0) {
    core_.set_point(core_.measured(base->second, trial_->base()));
  }
  if (state == LiveTrial::State::kProved) return adopt(std::move(summary_of_trial), sentence);
  if (candidate_->challenger && trial_->candidate().answered > 0) {
    core_.set_point(core_.measured(core_.points().at(candidate_->id()), trial_->candidate()));
  }
  refuse(std::move(summary_of_trial), sentence, trial_->harmful());
}

void Learning::adopt(verify::Trial trial, const std::string& verdict) {
  const Candidate winner = *candidate_;
  trial.outcome = verify::Trial::Outcome::kProved;
  trial.verdict = winner.accuracy.empty() ? verdict : verdict + "; " + winner.accuracy;
  verify::Point point{.variant = winner.proposal.variant,
                      .drop_bound = winner.drop_bound,
                      .memory_bytes = trial.memory_bytes};
  core_.set_point(core_.measured(std::move(point), trial_->candidate()));
  ++trials_;
  ++proved_;
  core_.decide("proved", trial.base, trial.candidate,
               fmt::format("{} is {}", trial.candidate, trial.verdict), json_of(trial));
  core_.record(trial);
  tried_.insert({trial.base, trial.candidate});

  Choice choice = candidate_choice_;
  choice.reason = fmt::format(
      "{} took {:.3f} times the mean latency of {} in {} pairs of blocks; p99 {:.3g} ms instead of "
      "{:.3g} ms",
      trial.candidate, trial.ratio, trial.base, trial.pairs, trial.candidate_p99_ms,
      trial.base_p99_ms);
  const absl::Status status = core_.switch_to(choice, json_of(trial));
  if (!status.ok()) {
    spdlog::warn("'{}' is proved but could not take over: {}", trial.candidate, status.ToString());
    restore();
  }
  trial_.reset();
  candidate_.reset();
  queue_.clear();  // candidates were made for what served before
  serving_changed();
  enter(Phase::kObserving);
}

void Learning::begin_shadow() {
  shadow_ = std::make_unique<ShadowTrial>(core_.options.test, core_.options.mirror_samples);
  last_mirror_ = core_.clock.now();
  enter(Phase::kShadow);
}

void Learning::follow_shadow(const Observation& piece) {
  const base::Time now = core_.clock.now();
  shadow_->pace().answered(piece.answered);
  ShadowTrial::State state = ShadowTrial::State::kRunning;
  if (shadow_->pace().due(now)) {
    core_.windows.disturb();
    const absl::StatusOr<Mirrored> mirrored =
        core_.plant.mirror(core_.serving(), candidate_->id(), shadow_->pace().take(now));
    if (!mirrored.ok()) {
      return refuse(
          fmt::format("mirrored requests failed: {}", base::message_of(mirrored.status())), false);
    }
    if (!mirrored->times.empty()) last_mirror_ = now;
    state = shadow_->add(*mirrored);
  } else if (now - last_mirror_ > std::chrono::seconds(30)) {
    return postpone("no live request to mirror for 30 s");
  }
  if (state == ShadowTrial::State::kRunning) return;
  verify::Trial trial = summary(shadow_.get());
  if (state == ShadowTrial::State::kNotFaster) {
    return refuse(std::move(trial), shadow_->sentence(), false);
  }
  trial.outcome = verify::Trial::Outcome::kProved;
  trial.verdict = shadow_->sentence() + "; not switched: learning is in shadow mode";
  ++trials_;
  ++proved_;
  core_.decide("proved", trial.base, trial.candidate,
               fmt::format("{} {}", trial.candidate, trial.verdict), json_of(trial));
  core_.record(trial);
  tried_.insert(trial.candidate);
  candidate_.reset();
  core_.loaded.unload(trial.candidate);
  enter(Phase::kObserving);
}

void Learning::refuse(std::string verdict, bool for_good) {
  refuse(summary<LiveTrial>(nullptr), std::move(verdict), for_good);
}

void Learning::refuse(verify::Trial trial, std::string verdict, bool for_good) {
  const Candidate loser = *candidate_;
  trial.outcome = verify::Trial::Outcome::kRefused;
  trial.verdict = std::move(verdict);
  ++trials_;
  (for_good ? never_ : tried_).insert(loser.id());
  restore();
  candidate_.reset();
  core_.decide("refused", trial.base, trial.candidate,
               fmt::format("{}: {}", trial.candidate, trial.verdict), json_of(trial));
  core_.record(std::move(trial));
  if (for_good && loser.challenger) core_.remove_point(loser.id());
  const std::vector<std::string> needed = core_.needed();
  const bool in_use = std::find(needed.begin(), needed.end(), loser.id()) != needed.end();
  if (!in_use && (for_good || !loser.challenger)) core_.loaded.unload(loser.id());
  enter(Phase::kObserving);
}

void Learning::restore() {
  trial_.reset();
  if (phase_ != Phase::kTrial) return;
  if (const absl::Status status = core_.publish(base_choice_); !status.ok()) {
    spdlog::warn("the plan of '{}' was refused: {}", core_.serving(), status.ToString());
  }
}

void Learning::postpone(const std::string& reason) {
  if (++candidate_->postponed > kMostPostponed) {
    return refuse(fmt::format("set aside after {} attempts: {}", kMostPostponed, reason), false);
  }
  spdlog::info("postponed: {}: {}", candidate_->id(), reason);
  restore();
  queue_.push_front(*std::exchange(candidate_, std::nullopt));
  enter(Phase::kObserving);
}

}  // namespace tachostat::govern

#include "govern/learning.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace tachostat::govern {
namespace {

constexpr int kQuietWindows = 2;    // between two candidates: the ladder's turn
constexpr double kLeastRate = 0.5;  // answers per second, under which a trial would take too long
constexpr base::Duration kProfilePoll = std::chrono::milliseconds(500);
constexpr base::Duration kProfileRefresh = std::chrono::seconds(10);
constexpr base::Duration kProfilePatience = std::chrono::seconds(60);
constexpr base::Duration kLearnAgain = std::chrono::seconds(60);  // after holding began, at least
constexpr int kMostTrials = 24;                                   // of one round of learning

}  // namespace

Learning::Learning(Core& core) : core_(core), random_(core.options.seed) {
  if (core.options.learn == Learn::kOff) phase_ = Phase::kHolding;
}

void Learning::enter(Phase phase) {
  // A window that holds blocks of a trial is no normal traffic.
  if (phase_ == Phase::kTrial) core_.windows.disturb();
  phase_ = phase;
  phase_since_ = core_.clock.now();
  quiet_windows_ = 0;
  next_poll_ = base::Time();
  const char* name = "observing";
  if (phase == Phase::kProfiling) name = "profiling";
  if (phase == Phase::kLoading || phase == Phase::kAccuracy) name = "verifying";
  if (phase == Phase::kTrial || phase == Phase::kShadow) name = "trial";
  if (phase == Phase::kHolding) name = "holding";
  core_.board.change([&](GovernorState& state) { state.phase = name; });
}

void Learning::step(const Observation& piece) {
  switch (phase_) {
    case Phase::kObserving:
      return observe();
    case Phase::kProfiling:
      return seek_profile();
    case Phase::kLoading:
      return load_next();
    case Phase::kAccuracy:
      return check_accuracy(piece);
    case Phase::kTrial:
      return follow_trial(piece);
    case Phase::kShadow:
      return follow_shadow(piece);
    case Phase::kHolding:
      return refresh_profile();
  }
}

void Learning::add(const Window& window) {
  if (window.disturbed) return;
  ++quiet_windows_;
  if (phase_ != Phase::kHolding || core_.options.learn == Learn::kOff) return;
  const auto change = watch_.add(window.seen, core_.plant.observed_shapes());
  if (change && core_.clock.now() - phase_since_ >= kLearnAgain) learn_again(*change);
}

void Learning::serving_changed() {
  watch_.reset();
  profiled_ = false;
  next_poll_ = base::Time();
  findings_.clear();
  core_.board.change([](GovernorState& state) {
    state.findings.clear();
    state.profile.reset();
  });
}

void Learning::targets_changed(const Targets& before) {
  const double now = core_.targets.max_drop;
  if (now > before.max_drop) {
    inaccurate_.clear();
    if (phase_ == Phase::kHolding && core_.options.learn != Learn::kOff) {
      learn_again(fmt::format("{:g} % of labels may differ now, {:g} % before", now * 100,
                              before.max_drop * 100));
    }
  }
  // What runs was begun under another promise. The checks at its end would come too late for users.
  if (now < before.max_drop && candidate_) postpone("the accuracy target has changed");
}

std::string Learning::top_finding() const {
  return findings_.empty() ? "" : findings_.front().summary;
}

void Learning::observe() {
  if (quiet_windows_ < kQuietWindows) return;
  const Observation recent =
      core_.windows.recent(static_cast<std::size_t>(std::min(quiet_windows_, 3)), true);
  const auto least = static_cast<std::uint64_t>(2 * core_.options.min_block_requests);
  if (recent.answered < least || recent.throughput() < kLeastRate) return;
  before_ = recent;
  const auto serving = core_.points().find(core_.serving());
  if (serving != core_.points().end() && serving->second.service_ms <= 0) {
    core_.set_point(core_.measured(serving->second, recent));
  }
  if (trials_ >= kMostTrials) {
    queue_.clear();
    return hold("enough tried for now");
  }
  if (!queue_.empty()) return enter(Phase::kLoading);
  if (!profiled_) return enter(Phase::kProfiling);
  hold("every candidate was tried");
}

void Learning::seek_profile() {
  const base::Time now = core_.clock.now();
  if (now < next_poll_) return;
  next_poll_ = now + kProfilePoll;
  const std::optional<profile::Profile> profile = core_.plant.profile(core_.serving());
  if (profile) {
    diagnose(*profile);
    return make_candidates();
  }
  if (now - phase_since_ < kProfilePatience || told_no_profile_) return;
  told_no_profile_ = true;
  core_.decide(
      "holding", core_.serving(), core_.serving(),
      fmt::format("no layer profile of {} after {:.0f} s at {:.3g} requests/s: candidates "
                  "are proposed once profiling has seen enough requests",
                  core_.serving(), base::to_seconds(now - phase_since_), before_.throughput()),
      numbers_of(before_));
}

void Learning::diagnose(const profile::Profile& profile) {
  const auto& find = core_.options.find_bottlenecks;
  findings_ = find ? find(profile, core_.options.roofline)
                   : diagnose::diagnose(profile, core_.options.roofline);
  core_.board.change([&](GovernorState& state) {
    state.profile = profile;
    state.findings = findings_;
  });
}

// For people, and for the reason of a decision; nothing is proposed.
void Learning::refresh_profile() {
  const base::Time now = core_.clock.now();
  if (now < next_poll_) return;
  const std::optional<profile::Profile> profile = core_.plant.profile(core_.serving());
  next_poll_ = now + (profile ? kProfileRefresh : kProfilePoll);
  if (profile) diagnose(*profile);
}

void Learning::make_candidates() {
  profiled_ = true;
  queue_start_check();
  queue_candidates();
  if (queue_.empty()) return hold(findings_.empty() ? "no bottleneck was found" : "no candidate");
  enter(Phase::kLoading);
}

bool Learning::wanted(const std::string& variant) const {
  const auto queued = std::find_if(queue_.begin(), queue_.end(), [&](const Candidate& candidate) {
    return candidate.id() == variant;
  });
  return variant != core_.serving() && queued == queue_.end() && !tried_.contains(variant) &&
         !inaccurate_.contains(variant) && !never_.contains(variant);
}

bool Learning::is_verified(const std::string& variant) const {
  const auto& verified = core_.options.verified;
  return std::any_of(verified.begin(), verified.end(), [&variant](const verify::Point& point) {
    return point.variant.id() == variant;
  });
}

// Comparing with f32 says nothing of a start variant that is f32 itself.
void Learning::queue_start_check() {
  if (start_checked_) return;
  start_checked_ = true;
  const auto proved = core_.points().find(core_.start_variant());
  if (proved != core_.points().end() && is_verified(core_.start_variant())) return;
  const engine::Applied* applied = core_.loaded.applied(core_.start_variant());
  const bool plain = core_.options.start.recipe.empty();
  if (!plain) {
    queue_.push_back({.proposal = {.variant = core_.options.start,
                                   .proposer = "governor",
                                   .finding = "",
                                   .reason = "the start variant follows a recipe, not the file"},
                      .start = true});
    return;
  }
  if (applied == nullptr || applied->precision.empty() || applied->precision == "f32") {
    reference_ = core_.start_variant();
    return;
  }
  queue_.push_back({.proposal = {.variant = core_.options.start,
                                 .proposer = "governor",
                                 .finding = "",
                                 .reason = fmt::format("the start variant runs {}, not f32",
                                                       applied->precision)},
                    .start = true});
}

// Verified variants first: what lost under other traffic may win now.
void Learning::queue_candidates() {
  for (const auto& [id, point] : core_.points()) {
    if (!wanted(id) || point.drop_bound > core_.targets.max_drop) continue;
    queue_.push_back({.proposal = {.variant = point.variant,
                                   .proposer = "frontier",
                                   .finding = "",
                                   .reason = "verified before, under other traffic"},
                      .challenger = true,
                      .accurate = true,
                      .drop_bound = point.drop_bound});
  }
  for (const optimize::Proposal& proposal : core_.options.unproved) {
    if (wanted(proposal.variant.id())) queue_.push_back({.proposal = proposal});
  }
  const auto serving = core_.points().find(core_.serving());
  if (serving == core_.points().end()) return;
  const optimize::Context context{.incumbent = serving->second.variant,
                                  .capabilities = core_.plant.capabilities(),
                                  .graph = core_.plant.graph(),
                                  .mean_in_flight = before_.mean_in_flight,
                                  .observed_shapes = core_.plant.observed_shapes()};
  const auto& find = core_.options.find_candidates;
  optimize::Proposals found =
      find ? find(findings_, context) : optimize::propose(findings_, context);
  left_out_ = found.refusals.size();
  for (optimize::Proposal& proposal : found.proposals) {
    if (wanted(proposal.variant.id())) queue_.push_back({.proposal = std::move(proposal)});
  }
  core_.board.change([&](GovernorState& state) { state.refusals = std::move(found.refusals); });
}

void Learning::hold(const std::string& why) {
  if (!reference_.empty() && reference_ != core_.start_variant() &&
      !core_.points().contains(reference_)) {
    core_.loaded.unload(reference_);
    reference_.clear();
  }
  const std::string top = top_finding();
  core_.decide(
      "holding", core_.serving(), core_.serving(),
      fmt::format("{}: {} tried, {} proved, {} left out untried; {} serves{}{}", why, trials_,
                  proved_, left_out_, core_.serving(), top.empty() ? "" : "; what remains: ", top),
      {{"tried", trials_},
       {"proved", proved_},
       {"left_out", left_out_},
       {"findings", findings_.size()},
       {"traffic", numbers_of(before_)}});
  watch_.reset(before_, core_.plant.observed_shapes());
  enter(Phase::kHolding);
}

void Learning::learn_again(const std::string& why) {
  core_.decide("learning", core_.serving(), core_.serving(), "learning again: " + why,
               numbers_of(core_.windows.recent(TrafficWatch::kWindows, true)));
  tried_.clear();
  queue_.clear();
  profiled_ = false;
  told_no_profile_ = false;
  trials_ = proved_ = 0;
  enter(Phase::kObserving);
}

}  // namespace tachostat::govern

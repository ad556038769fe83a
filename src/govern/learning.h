// The learning loop: profile, diagnose, propose, load, verify, try; then the next candidate. A
// state machine that does one bounded thing a step.
//
//   observing ──▶ profiling ──▶ candidates ──▶ loading ──▶ accuracy ──▶ trial (or shadow trial)
//       ▲                           │ none                                 │ proved, refused,
//       │                           ▼                                      │ postponed
//       ├──────────────────────  holding ◀── nothing left ──┐              │
//       └───────────────────────────────────────────────────┴──────────────┘
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "govern/accuracy.h"
#include "govern/core.h"
#include "govern/live_trial.h"
#include "govern/shadow_trial.h"
#include "govern/traffic_watch.h"

namespace tachostat::govern {

// Used by the governor's thread only.
class Learning {
 public:
  explicit Learning(Core& core);

  // `piece`: traffic since the last step.
  void step(const Observation& piece);
  // A window of traffic has closed.
  void add(const Window& window);

  // Blocks of a trial are running: nobody else may publish a plan.
  bool in_trial() const { return phase_ == Phase::kTrial; }
  // The ladder has switched.
  void serving_changed();
  void targets_changed(const Targets& before);

  // The most promising finding about the serving variant; empty when there is none.
  std::string top_finding() const;
  std::size_t waiting() const { return queue_.size() + (candidate_ ? 1 : 0); }

 private:
  enum class Phase { kObserving, kProfiling, kLoading, kAccuracy, kTrial, kShadow, kHolding };

  struct Candidate {
    optimize::Proposal proposal;
    bool challenger = false;  // verified earlier; tried again because traffic has changed
    bool accurate = false;    // compared with the reference already
    bool start = false;       // the start variant itself, which is no f32 variant: accuracy only
    double drop_bound = 0;
    verify::Agreement agreement{};
    std::string accuracy{};  // the sentence
    int postponed = 0;

    std::string id() const { return proposal.variant.id(); }
  };

  void enter(Phase phase);
  void observe();
  void seek_profile();
  void refresh_profile();
  void diagnose(const profile::Profile& profile);
  void make_candidates();
  void queue_candidates();
  void queue_start_check();
  bool wanted(const std::string& variant) const;
  bool is_verified(const std::string& variant) const;
  void load_next();
  model::Variant reference_variant() const;
  absl::Status prepare_reference();
  void begin_accuracy();
  void check_accuracy(const Observation& piece);
  void end_accuracy();
  void end_start_check();
  void begin_trial();
  void follow_trial(const Observation& piece);
  void end_live_trial();
  void adopt(verify::Trial trial, const std::string& verdict);
  void begin_shadow();
  void follow_shadow(const Observation& piece);
  void refuse(std::string verdict, bool for_good);  // before any trial
  void refuse(verify::Trial trial, std::string verdict, bool for_good);
  // Nothing is known of it yet: back to the front of the queue.
  void postpone(const std::string& reason);
  // What served before the trial serves again.
  void restore();
  void hold(const std::string& why);
  void learn_again(const std::string& why);
  // What is known of the candidate so far; with what `trial` measured, if it is not null.
  template <class AnyTrial>
  verify::Trial summary(const AnyTrial* trial) const;

  Core& core_;
  Phase phase_ = Phase::kObserving;
  base::Time phase_since_{};
  int quiet_windows_ = 0;  // undisturbed ones since the phase began
  std::mt19937_64 random_;

  std::deque<Candidate> queue_;
  std::optional<Candidate> candidate_;
  std::set<std::string> tried_;       // under the present traffic
  std::set<std::string> inaccurate_;  // under the present accuracy target
  std::set<std::string> never_;       // whatever the traffic
  std::vector<diagnose::Finding> findings_;
  std::size_t left_out_ = 0;
  int trials_ = 0;  // since learning began
  int proved_ = 0;
  bool profiled_ = false;  // the serving variant, and candidates were made of it
  bool start_checked_ = false;
  base::Time next_poll_{};
  bool told_no_profile_ = false;

  std::string reference_;  // id; empty until it is needed
  std::unique_ptr<AccuracyCheck> accuracy_;
  std::unique_ptr<MirrorPace> pace_;
  base::Time last_mirror_{};
  Observation before_;  // traffic under the base before the trial
  Choice base_choice_, candidate_choice_;
  std::unique_ptr<LiveTrial> trial_;
  std::unique_ptr<ShadowTrial> shadow_;

  TrafficWatch watch_;
};

}  // namespace tachostat::govern

// step() is called by one thread; state() and set_targets() by any. What they share is the board
// and the pending targets; all else belongs to the stepping thread.
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "govern/core.h"
#include "govern/learning.h"
#include "govern/recovery.h"
#include "govern/scaling.h"

namespace tachostat::govern {
namespace {

constexpr std::size_t kStateWindows = 3;  // behind the p99 that is shown
constexpr int kMissedWindows = 3;         // before it is said that the target cannot be held
constexpr int kHeldWindows = 3;           // before it is said that it is held again

std::string describe(const Targets& targets) {
  return fmt::format("p99 {}, at most {:g} % of labels may differ",
                     targets.p99 ? base::format_duration(*targets.p99) : "without a target",
                     targets.max_drop * 100);
}

}  // namespace

class Governor::Impl {
 public:
  Impl(base::Clock& clock, Plant& plant, std::unique_ptr<Policy> policy, DecisionLog& log,
       store::Store* store, GovernorOptions options)
      : core_(clock, plant, log, store, std::move(options)),
        learning_(core_),
        recovery_(core_),
        policy_(std::move(policy)),
        log_(log) {
    core_.board.change([&](GovernorState& state) { state.targets = core_.targets; });
  }

  absl::Status start() { return core_.start(); }
  GovernorState state() const { return core_.board.read(); }

  void set_targets(const Targets& targets) {
    {
      base::MutexLock lock(mutex_);
      pending_ = targets;
    }
    core_.board.change([&](GovernorState& state) {
      state.targets = targets;
      state.target_met.reset();  // nothing was judged by the new one yet
    });
    Decision decision;
    decision.kind = "target";
    decision.reason = "new targets: " + describe(targets);
    decision.evidence_json = to_json(targets);
    log_.add(std::move(decision));
  }

  void step() {
    take_targets();
    const Observation piece = core_.plant.observe();
    const std::optional<Window> closed = core_.windows.add(piece);
    if (closed) {
      publish_traffic();
      learning_.add(*closed);
    }
    if (!learning_.in_trial() && recovery_.step(piece)) {
      learning_.serving_changed();
      return;
    }
    learning_.step(piece);
    if (closed && !closed->disturbed && !learning_.in_trial()) judge(closed->seen);
  }

 private:
  void take_targets() {
    std::optional<Targets> targets;
    {
      base::MutexLock lock(mutex_);
      targets.swap(pending_);
    }
    if (!targets) return;
    const Targets before = std::exchange(core_.targets, *targets);
    missed_ = held_ = 0;
    degraded_ = false;
    learning_.targets_changed(before);
    if (learning_.in_trial()) return;  // its next block's plan knows them
    if (const absl::Status status = core_.publish_targets(); !status.ok()) {
      spdlog::warn("the plan of '{}' was refused: {}", core_.serving(), status.ToString());
    }
  }

  void publish_traffic() {
    const Observation recent = core_.windows.recent(kStateWindows, false);
    const std::uint64_t p99 = recent.latency.quantile(0.99);
    const std::optional<Scaling> scaling =
        scaling_of(recent, core_.choices(), core_.targets, core_.serving());
    core_.board.change([&](GovernorState& state) {
      state.p99_ms = static_cast<double>(p99) / 1e6;
      state.throughput = recent.throughput();
      state.scaling = scaling;
      state.target_met.reset();
      if (state.targets.p99 && recent.answered >= Windows::kEnough) {
        state.target_met = p99 <= static_cast<std::uint64_t>(state.targets.p99->count());
      }
    });
  }

  void judge(const Observation& window) {
    // Its first part was answered by what served before.
    if (window.begin < core_.serving_since()) return;
    const verify::Frontier choices = core_.choices();
    Choice choice =
        policy_->decide(window, choices, core_.targets, core_.serving(), core_.clock.now());
    if (choice.change && core_.options.learn != Learn::kShadow) {
      nlohmann::json evidence = numbers_of(window);
      evidence["policy"] = policy_->name();
      evidence["targets"] = nlohmann::json::parse(to_json(core_.targets));
      const absl::Status status = core_.switch_to(choice, evidence);
      if (status.ok()) return learning_.serving_changed();
      spdlog::warn("no switch to '{}': {}", choice.variant, status.ToString());
    }
    judge_target(window, choice);
  }

  void judge_target(const Observation& window, const Choice& choice) {
    if (!core_.targets.p99 || window.answered < Windows::kEnough) return;
    const auto target = static_cast<std::uint64_t>(core_.targets.p99->count());
    const bool met = window.latency.quantile(0.99) <= target;
    missed_ = met ? 0 : missed_ + 1;
    held_ = met ? held_ + 1 : 0;
    if (!degraded_ && missed_ >= kMissedWindows && !choice.change) {
      degraded_ = true;
      core_.decide("degraded", core_.serving(), core_.serving(), degraded_reason(window, choice),
                   degraded_evidence(window));
    } else if (degraded_ && held_ >= kHeldWindows) {
      degraded_ = false;
      core_.decide("target", core_.serving(), core_.serving(),
                   fmt::format("the target p99 {} is held again: p99 {:.3g} ms at {:.3g} "
                               "requests/s over {} windows",
                               base::format_duration(*core_.targets.p99), p99_ms(window),
                               window.arrival_rate(), held_),
                   numbers_of(window));
    }
  }

  static double p99_ms(const Observation& window) {
    return static_cast<double>(window.latency.quantile(0.99)) / 1e6;
  }

  // What the latency would have to lose, and where it goes.
  std::string degraded_reason(const Observation& window, const Choice& choice) const {
    const double target_ms = base::to_milliseconds(*core_.targets.p99);
    const double service_ms = static_cast<double>(window.service.quantile(0.99)) / 1e6;
    const std::string where =
        service_ms > target_ms
            ? fmt::format("one inference alone takes {:.3g} ms (p99)", service_ms)
            : fmt::format("requests wait, one inference takes {:.3g} ms (p99)", service_ms);
    const std::string top = learning_.top_finding();
    std::string next = "nothing is left to try";
    if (core_.options.learn == Learn::kOff) next = "learning is off";
    if (learning_.waiting() > 0) {
      next = fmt::format("{} candidates are still to be tried", learning_.waiting());
    }
    return fmt::format(
        "the target p99 {} is missed for {} windows and needs a cut of {:.0f} %: {}; "
        "{}; {}{}; {}",
        base::format_duration(*core_.targets.p99), missed_, (1 - target_ms / p99_ms(window)) * 100,
        where, choice.reason, top.empty() ? "no bottleneck is known" : "largest bottleneck: ", top,
        next);
  }

  nlohmann::json degraded_evidence(const Observation& window) const {
    nlohmann::json evidence = numbers_of(window);
    evidence["target_ms"] = base::to_milliseconds(*core_.targets.p99);
    evidence["service_p99_ms"] = static_cast<double>(window.service.quantile(0.99)) / 1e6;
    evidence["finding"] = learning_.top_finding();
    evidence["candidates_waiting"] = learning_.waiting();
    return evidence;
  }

  Core core_;
  Learning learning_;
  Recovery recovery_;
  std::unique_ptr<Policy> policy_;
  DecisionLog& log_;
  base::Mutex mutex_;
  std::optional<Targets> pending_ TS_GUARDED_BY(mutex_);
  bool degraded_ = false;
  int missed_ = 0;
  int held_ = 0;
};

Governor::Governor(base::Clock& clock, Plant& plant, std::unique_ptr<Policy> policy,
                   DecisionLog& log, store::Store* store, GovernorOptions options)
    : impl_(std::make_unique<Impl>(clock, plant, std::move(policy), log, store,
                                   std::move(options))) {}
Governor::~Governor() = default;

absl::Status Governor::start() { return impl_->start(); }
void Governor::step() { impl_->step(); }
GovernorState Governor::state() const { return impl_->state(); }
void Governor::set_targets(const Targets& targets) { impl_->set_targets(targets); }

}  // namespace tachostat::govern

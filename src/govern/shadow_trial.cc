#include "govern/shadow_trial.h"

#include "base/status.h"

namespace tachostat::govern {
namespace {

void record(Observation& total, base::Duration time) {
  if (time.count() <= 0) return;
  ++total.answered;
  total.latency.record(static_cast<std::uint64_t>(time.count()));
  total.service.record(static_cast<std::uint64_t>(time.count()));
}

}  // namespace

ShadowTrial::State ShadowTrial::end(State state, const char* verdict) {
  sentence_ = fmt::format(
      "{}: {:.3f} times the base's engine time (interval {:.3f} to {:.3f}) over {} mirrored "
      "requests, one at a time and not under load",
      verdict, test_.ratio(), test_.ratio_low(), test_.ratio_high(), test_.pairs());
  return state;
}

ShadowTrial::State ShadowTrial::give_up() {
  return end(State::kNotFaster, "no proof that it would be faster");
}

ShadowTrial::State ShadowTrial::add(const Mirrored& round) {
  using Verdict = verify::SequentialTest::Verdict;
  ++rounds_;
  for (const auto& [base, candidate] : round.times) {
    test_.add(base::to_seconds(base), base::to_seconds(candidate));
    record(totals_[0], base);
    record(totals_[1], candidate);
    // Stopped at the first pair that decides.
    const Verdict verdict = test_.verdict();
    if (verdict == Verdict::kFaster) return end(State::kFaster, "would be faster");
    if (verdict == Verdict::kNotFaster) return end(State::kNotFaster, "would not be faster");
    if (verdict == Verdict::kUndecided) return give_up();
  }
  return rounds_ >= kMaxRounds ? give_up() : State::kRunning;
}

}  // namespace tachostat::govern

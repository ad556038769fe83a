#include "app/optimize/final_race.h"

#include <fmt/format.h>

#include "base/status.h"
#include "optimize/quantise/local_cost.h"

namespace tachostat::app {
namespace {

absl::Status check_energy(const std::vector<Lap>& laps) {
  for (const Lap& lap : laps) {
    if (!lap.ms.empty() && lap.joules.size() == lap.ms.size()) continue;
    return base::unavailable(
        "energy could not be measured in every round: its counters came and went");
  }
  return absl::OkStatus();
}

// The default that is held against: the one that takes least of it.
std::size_t best_of(const std::vector<Lap>& laps, std::vector<double> Lap::*axis) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < kBaselines; ++k) {
    if (optimize::median_of(laps[k].*axis) < optimize::median_of(laps[best].*axis)) best = k;
  }
  return best;
}

void note(const std::vector<std::size_t>& indices, const std::vector<Lap>& laps, bool saturate,
          OptimizeResult& result, std::vector<Ran>& ran) {
  const std::size_t best = best_of(laps, &Lap::ms);
  const std::size_t frugal = best_of(laps, &Lap::joules);
  if (saturate == saturates(result.objective)) {
    const bool energy = result.objective == Objective::kEnergy;
    result.best_default = static_cast<int>(indices[energy ? frugal : best]);
  }
  ran.resize(result.outcomes.size());
  for (std::size_t k = 0; k < indices.size(); ++k) {
    Outcome& outcome = result.outcomes[indices[k]];
    Ran& one = ran[indices[k]];
    one.name = outcome.name;
    one.variant = outcome.variant;
    (saturate ? one.saturated_ms : one.latency_ms) = laps[k].ms;
    (saturate ? outcome.saturated_ms : outcome.service_ms) = optimize::median_of(laps[k].ms);
    (saturate ? outcome.throughput_time : outcome.latency) =
        ratio_of(laps[best].ms, laps[k].ms, indices.size() - 1);
    outcome.memory_bytes = laps[k].memory_bytes;
    if (!saturate) continue;
    outcome.joules = optimize::median_of(laps[k].joules);
    outcome.energy = ratio_of(laps[frugal].joules, laps[k].joules, indices.size() - 1);
  }
}

}  // namespace

bool saturates(Objective objective) { return objective != Objective::kLatency; }

absl::Status final_race(const Track& track, const LineUpOptions& line, OptimizeResult& result,
                        std::vector<Ran>& ran) {
  std::vector<model::Variant> variants;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
    if (result.outcomes[i].verdict == Outcome::Verdict::kRefused) continue;
    indices.push_back(i);
    variants.push_back(result.outcomes[i].variant);
  }
  TS_ASSIGN_OR_RETURN(
      const std::vector<Lap> laps,
      race(track, line.saturate ? "racing for throughput" : "racing for latency", variants, line));
  if (result.objective == Objective::kEnergy && line.saturate) {
    TS_RETURN_IF_ERROR(check_energy(laps));
  }
  note(indices, laps, line.saturate, result, ran);
  return absl::OkStatus();
}

void choose_fastest(OptimizeResult& result) {
  const auto ratio = [&result](const Outcome& outcome) -> const Ratio& {
    return ratio_by(result.objective, outcome);
  };
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
    Outcome& outcome = result.outcomes[i];
    if (outcome.verdict != Outcome::Verdict::kVerified) continue;
    const Ratio& found = ratio(outcome);
    outcome.sentence = fmt::format("{} of the best default's {}", to_string(found),
                                   result.objective == Objective::kEnergy ? "energy" : "time");
    if (!found.faster) continue;
    const bool better =
        result.chosen < 0 ||
        found.value < ratio(result.outcomes[static_cast<std::size_t>(result.chosen)]).value;
    if (better) result.chosen = static_cast<int>(i);
  }
  if (result.chosen < 0) {
    result.sentence = "nothing that was tried is proved better than the engine's best default";
    return;
  }
  Outcome& chosen = result.outcomes[static_cast<std::size_t>(result.chosen)];
  chosen.verdict = Outcome::Verdict::kChosen;
  result.sentence = fmt::format(
      "{}: {:.2f}× {} as the best default ({}), {} lower by at most {:.2f} % (95 %, {} "
      "held-out samples)",
      chosen.name, 1 / ratio(chosen).value, better_by(result.objective),
      result.outcomes[static_cast<std::size_t>(result.best_default)].name, result.metric,
      chosen.report.bound * 100, chosen.report.samples);
}

}  // namespace tachostat::app

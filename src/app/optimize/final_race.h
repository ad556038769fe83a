// The race of all that is accurate, which decides with proof, and who has won it.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "app/optimize/line_up.h"
#include "app/optimize/optimize_run.h"
#include "app/optimize/promises.h"
#include "app/optimize/race.h"

namespace tachostat::app {

// The first outcomes: f32, and what the engine does by itself for latency and for throughput.
inline constexpr std::size_t kBaselines = 3;

// Whether what was asked for shows with every stream busy.
bool saturates(Objective objective);

// Races what is not refused, and notes each outcome's times and its ratio to the fastest baseline,
// which is the result's best default where this race is the objective's. `ran`: the same by
// outcome, round by round.
absl::Status final_race(const Track& track, const LineUpOptions& line, OptimizeResult& result,
                        std::vector<Ran>& ran);

// The verified outcome that is best by the objective and proved better than the best default is
// chosen; each gets its sentence, and the result its answer.
void choose_fastest(OptimizeResult& result);

}  // namespace tachostat::app

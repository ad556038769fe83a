// A race whose times are kept, so that a run that was stopped does not run it again.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/journal.h"
#include "app/optimize/line_up.h"

namespace tachostat::app {

// What all races of one run share. All must outlive it.
struct Track {
  base::Clock& clock;
  engine::Engine& engine;
  const model::Graph& graph;
  const std::vector<engine::Tensor>& inputs;  // one request
  Journal& journal;
  std::function<std::optional<double>()> joules = {};  // LineUpOptions::joules
  // False stops with Cancelled, and nothing of the race is kept. May be null.
  std::function<bool(std::string_view stage, double done)> progress = {};
};

// Races between ways to write one network. The final race decides with proof; these only keep
// recipes short.
constexpr int kPickingRounds = 16;
constexpr double kLeastGain = 0.005;  // of the time: what a step of a recipe must save

// `options.progress`: false ends the race with what was measured, which is kept. `stage` is for
// people, and tells this race from others of the same variants.
absl::StatusOr<std::vector<Lap>> race(const Track& track, std::string_view stage,
                                      std::span<const model::Variant> variants,
                                      LineUpOptions options);

}  // namespace tachostat::app

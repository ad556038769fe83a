#include "app/optimize/rewriting.h"

#include <fmt/format.h>

#include "base/status.h"
#include "model/steps.h"

namespace tachostat::app {
namespace {

absl::StatusOr<model::Recipe> recipe_of(const std::vector<model::Rewrite>& rewrites) {
  std::vector<model::Recipe::Step> steps;
  for (const model::Rewrite& rewrite : rewrites) {
    TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(rewrite));
    steps.push_back(std::move(step));
  }
  return model::Recipe::Create("rewritten", std::move(steps));
}

// By kind, after the network as it is.
absl::StatusOr<std::vector<Lap>> race_each(const Track& track, const model::Variant& base,
                                           const std::vector<model::Rewrite>& found,
                                           std::uint64_t seed) {
  std::vector<model::Variant> variants(1, base);
  for (const model::Rewrite& one : found) {
    variants.push_back(base);
    TS_ASSIGN_OR_RETURN(variants.back().recipe, recipe_of({one}));
  }
  return race(track, "rewriting the network", variants, {.rounds = kPickingRounds, .seed = seed});
}

}  // namespace

absl::StatusOr<Rewriting> choose_rewrites(const Track& track, const model::Variant& base,
                                          std::uint64_t seed) {
  TS_ASSIGN_OR_RETURN(const auto found, track.engine.rewrites(track.graph, base.shapes));
  if (found.empty()) return Rewriting();
  TS_ASSIGN_OR_RETURN(const std::vector<Lap> laps, race_each(track, base, found, seed));
  Rewriting rewriting;
  std::vector<model::Rewrite> kept;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Ratio ratio = ratio_of(laps[0].ms, laps[i + 1].ms, found.size());
    const bool keep = ratio.value < 1 - kLeastGain;
    rewriting.notes.push_back(fmt::format("{} at {} {}: {} of the time, {}", found[i].pass,
                                          found[i].layers.size(),
                                          found[i].layers.size() == 1 ? "place" : "places",
                                          to_string(ratio), keep ? "taken" : "left"));
    if (keep) kept.push_back(found[i]);
  }
  TS_ASSIGN_OR_RETURN(rewriting.recipe, recipe_of(kept));
  return rewriting;
}

}  // namespace tachostat::app

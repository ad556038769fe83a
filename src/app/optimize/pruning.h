// The stage that leaves channels out: where the engine can, where that saves time on this machine,
// and as far as the answers stay accurate. Nothing is trained; on most networks that means that
// little can go, and the notes say so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/race.h"
#include "model/model.h"
#include "optimize/bench.h"
#include "optimize/calibrate.h"

namespace tachostat::app {

struct PruningOptions {
  model::Variant base = {};       // that is to be faster
  model::Variant reference = {};  // f32, with the base's recipe and shapes
  double wanted_drop = 0.0025;    // on the search's samples, at most
  std::uint64_t seed = 1;
  // Mean drops of variants on so many of the search's samples at most.
  std::function<absl::StatusOr<std::vector<double>>(const std::vector<model::Variant>& variants,
                                                    std::size_t samples)>
      drops = {};
};

struct Pruning {
  model::Recipe recipe = {};  // the base's and one step more; the base's own: nothing pays
  bool pays = false;
  std::vector<std::string> notes = {};
};

// `graph`: as the base's recipe leaves it, with the samples' usual shape.
absl::StatusOr<Pruning> choose_pruning(const Track& track, optimize::Bench& bench,
                                       const model::Graph& graph, const optimize::Samples& samples,
                                       const PruningOptions& options);

}  // namespace tachostat::app

// The stage before quantisation: parts of the network that the engine can write more cheaply, each
// kind raced against the network as it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/race.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::app {

struct Rewriting {
  model::Recipe recipe = {};            // empty: nothing is found, or nothing pays
  std::vector<std::string> notes = {};  // one line for each kind, with what it measured
};

// `base`: as it would run otherwise, with the inputs' shapes.
absl::StatusOr<Rewriting> choose_rewrites(const Track& track, const model::Variant& base,
                                          std::uint64_t seed);

}  // namespace tachostat::app

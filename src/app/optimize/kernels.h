// The stage that chooses kernels: where the engine can be told which to use, layer by layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/race.h"
#include "model/model.h"
#include "optimize/bench.h"

namespace tachostat::app {

struct KernelChoice {
  model::Recipe recipe = {};            // the variant's, with a step more where that pays
  std::vector<std::string> notes = {};  // one line for each way that was tried
};

// Profiles the variant beside itself with each other kernel wherever it suits, puts together what
// was faster layer by layer, and races all of these. `name` is the recipe's, for the notes.
absl::StatusOr<KernelChoice> choose_kernels(const Track& track, optimize::Bench& bench,
                                            const model::Variant& variant, const std::string& name,
                                            std::uint64_t seed);

}  // namespace tachostat::app

// How the search has variants measured. app/ implements it with the engine and the probe.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "profile/profile.h"

namespace tachostat::optimize {

class Bench {
 public:
  virtual ~Bench() = default;
  // Loads the variants and profiles them by layers, side by side: their requests take turns, so
  // that whatever else happens on the machine happens to all. One profile each, with a slice per
  // request. Errors: what the engine says; Cancelled.
  virtual absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) = 0;
};

// Mean over the faster half of the slices: a neighbour's disturbance is not the layer's time.
double quiet_mean_ns(std::span<const profile::Slice> slices);

}  // namespace tachostat::optimize

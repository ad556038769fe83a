#include "app/workbench.h"

#include <algorithm>

#include "app/driver.h"
#include "app/evidence.h"
#include "base/status.h"

namespace tachostat::app {

// A profile halves its slices when it has too many, so a block of 2^n requests times the most
// slices gives each block a slice of its own.
absl::StatusOr<Workbench::Pace> Workbench::pace_of(engine::Session& session) const {
  constexpr int kMostSlices = static_cast<int>(profile::Profile::kMostSlices);
  constexpr int kLongestBlock = 16;
  const base::Time begin = clock_.now();
  TS_RETURN_IF_ERROR(Driver(session, inputs_).run(2));
  const double request = std::max(1e-6, base::to_seconds(clock_.now() - begin) / 2);
  const double requests = options_.seconds / request;
  if (requests < kMostSlices) {
    return Pace{std::max(kLeastSlices, static_cast<int>(requests)), 1};
  }
  Pace pace{kMostSlices, 1};
  while (pace.block < kLongestBlock && pace.block * 2 * kMostSlices <= requests) pace.block *= 2;
  return pace;
}

absl::StatusOr<std::vector<profile::Profile>> Workbench::profile(
    std::span<const model::Variant> variants) {
  TS_RETURN_IF_ERROR(
      base::with_context(spans_.available_at(probe::Depth::kLayers), "no layer spans"));
  probe::Sampler sampler(spans_, {});
  SamplingObserver observer(sampler);
  Evidence evidence(sampler, graph_, nullptr, options_.machine);
  model::InputShapes shapes;
  for (const engine::Tensor& input : inputs_) shapes[input.name] = input.shape;
  std::vector<std::unique_ptr<engine::Session>> sessions;
  sampler.set_depth(probe::Depth::kOff);
  for (const model::Variant& variant : variants) {
    TS_ASSIGN_OR_RETURN(auto session, engine_.load(graph_, variant, &observer));
    TS_RETURN_IF_ERROR(Driver(*session, inputs_).run(options_.warmup));
    evidence.add_session(*session);
    sessions.push_back(std::move(session));
  }
  TS_ASSIGN_OR_RETURN(const Pace pace, pace_of(*sessions[0]));
  sampler.set_depth(probe::Depth::kLayers);
  sampler.set_always(true);
  for (int slice = 0; slice < pace.slices; ++slice) {
    for (const auto& session : sessions) {
      TS_RETURN_IF_ERROR(Driver(*session, inputs_).run(pace.block));
      evidence.pump();
    }
  }
  sampler.set_depth(probe::Depth::kOff);
  evidence.pump();
  std::vector<profile::Profile> profiles;
  for (const auto& session : sessions) {
    auto profile = evidence.profile_of(session->number(), shapes);
    if (!profile) {
      return base::unavailable("{} gave no profile: fewer than {} requests were seen whole",
                               session->variant().id(), Evidence::kEnoughRequests);
    }
    profiles.push_back(*std::move(profile));
  }
  return profiles;
}

}  // namespace tachostat::app

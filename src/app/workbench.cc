#include "app/workbench.h"

#include <algorithm>

#include "app/driver.h"
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

absl::StatusOr<engine::Session*> Workbench::loaded(const model::Variant& variant) {
  std::unique_ptr<engine::Session>& session = sessions_[variant.id()];
  if (session == nullptr) {
    TS_ASSIGN_OR_RETURN(session, engine_.load(graph_, variant, &observer_));
    TS_RETURN_IF_ERROR(Driver(*session, inputs_).run(options_.warmup));
  }
  // What earlier calls measured of it is not this call's.
  evidence_.forget(session->number());
  evidence_.add_session(*session);
  return session.get();
}

void Workbench::unload_all_but(std::span<const model::Variant> variants) {
  std::erase_if(sessions_, [&](const auto& entry) {
    const bool needed = std::any_of(
        variants.begin(), variants.end(),
        [&entry](const model::Variant& variant) { return variant.id() == entry.first; });
    if (!needed && entry.second != nullptr) evidence_.forget(entry.second->number());
    return !needed || entry.second == nullptr;
  });
}

absl::StatusOr<std::vector<profile::Profile>> Workbench::profile(
    std::span<const model::Variant> variants) {
  TS_RETURN_IF_ERROR(
      base::with_context(spans_.available_at(probe::Depth::kLayers), "no layer spans"));
  sampler_.set_depth(probe::Depth::kOff);
  unload_all_but(variants);
  model::InputShapes shapes;
  for (const engine::Tensor& input : inputs_) shapes[input.name] = input.shape;
  std::vector<engine::Session*> sessions;
  for (const model::Variant& variant : variants) {
    TS_ASSIGN_OR_RETURN(engine::Session* const session, loaded(variant));
    sessions.push_back(session);
  }
  TS_ASSIGN_OR_RETURN(const Pace pace, pace_of(*sessions[0]));
  sampler_.set_depth(probe::Depth::kLayers);
  sampler_.set_always(true);
  for (int slice = 0; slice < pace.slices; ++slice) {
    for (engine::Session* const session : sessions) {
      TS_RETURN_IF_ERROR(Driver(*session, inputs_).run(pace.block));
      evidence_.pump();
    }
  }
  sampler_.set_depth(probe::Depth::kOff);
  evidence_.pump();
  std::vector<profile::Profile> profiles;
  for (const engine::Session* const session : sessions) {
    auto profile = evidence_.profile_of(session->number(), shapes);
    if (!profile) {
      return base::unavailable("{} gave no profile: fewer than {} requests were seen whole",
                               session->variant().id(), Evidence::kEnoughRequests);
    }
    profiles.push_back(*std::move(profile));
  }
  return profiles;
}

}  // namespace tachostat::app

#include "app/workbench.h"

#include <algorithm>

#include "app/driver.h"
#include "app/evidence.h"
#include "base/status.h"

namespace tachostat::app {

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
  sampler.set_depth(probe::Depth::kLayers);
  sampler.set_always(true);
  for (int done = 0; done < options_.requests; done += options_.block) {
    const int block = std::min(options_.block, options_.requests - done);
    for (const auto& session : sessions) {
      TS_RETURN_IF_ERROR(Driver(*session, inputs_).run(block));
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

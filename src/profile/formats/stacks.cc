#include "profile/formats/stacks.h"

namespace tachostat::profile {

trace::Stacks stacks_of(const Profile& profile) {
  trace::StacksBuilder stacks;
  const auto frame = [&](const std::string& name) {
    return stacks.frame(name.empty() ? "(unnamed)" : name);
  };
  const std::uint32_t model = stacks.stack(trace::Stacks::kNone, frame(profile.model));
  stacks.add(model, profile.unattributed_ns, profile.request_time.count());
  for (const LayerProfile& layer : profile.layers) {
    if (layer.time.count() == 0) continue;
    std::uint32_t at = stacks.stack(model, frame(layer.name));
    if (!layer.kernel.empty()) at = stacks.stack(at, frame(layer.kernel));
    stacks.add(at, layer.time.sum(), layer.time.count());
  }
  return stacks.take();
}

}  // namespace tachostat::profile

// Where policies are registered.
#include "base/status.h"
#include "govern/govern.h"

namespace tachostat::govern {

const std::vector<PolicyEntry>& policies() {
  static const std::vector<PolicyEntry> all = {
      {"predictive", "what a forecast of load and machine expects to hold the target",
       [](std::uint64_t) { return make_predictive(); }},
      {"ladder", "a step up when the target is missed, a step down after calm windows",
       [](std::uint64_t) { return make_ladder(); }},
      {"bandit", "what live traffic has shown to keep most requests in time",
       [](std::uint64_t seed) { return make_bandit({.seed = seed}); }},
      {"fixed", "nothing is changed", [](std::uint64_t) { return make_fixed(); }}};
  return all;
}

absl::StatusOr<std::unique_ptr<Policy>> make_policy(std::string_view name, std::uint64_t seed) {
  std::string known;
  for (const PolicyEntry& entry : policies()) {
    if (entry.name == name) return entry.make(seed);
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  return base::invalid_argument("policy '{}': there are {}", name, known);
}

}  // namespace tachostat::govern

#include "simulate/world.h"

#include <algorithm>

namespace tachostat::simulate {
namespace {

bool concerns(const Event& event, int node, base::Duration at) {
  return (event.node < 0 || event.node == node) && event.at <= at && at < event.until;
}

}  // namespace

Condition condition_of(const Scenario& scenario, int node, base::Duration at) {
  Condition condition{.cores = scenario.cores};
  double taken = 0;
  for (const Event& event : scenario.events) {
    if (!concerns(event, node, at)) continue;
    if (event.kind == Event::Kind::kSlow) condition.slowness *= event.value;
    if (event.kind == Event::Kind::kCores) {
      condition.cores = std::min(condition.cores, event.value);
    }
    if (event.kind == Event::Kind::kTaken) taken += event.value;
    if (event.kind == Event::Kind::kDown) condition.down = true;
  }
  condition.cores = std::max(0.0, condition.cores - taken);
  return condition;
}

std::vector<base::Duration> changes_of(const Scenario& scenario) {
  std::vector<base::Duration> changes = {base::Duration(0)};
  for (const Event& event : scenario.events) {
    for (const base::Duration at : {event.at, event.until}) {
      if (at > base::Duration(0) && at < scenario.duration) changes.push_back(at);
    }
  }
  std::sort(changes.begin(), changes.end());
  changes.erase(std::unique(changes.begin(), changes.end()), changes.end());
  return changes;
}

std::vector<NodesAlike> conditions_at(const Scenario& scenario, base::Duration at) {
  std::vector<NodesAlike> alike;
  for (int node = 0; node < scenario.nodes; ++node) {
    const Condition condition = condition_of(scenario, node, at);
    const auto known = std::find_if(alike.begin(), alike.end(), [&](const NodesAlike& each) {
      return each.condition == condition;
    });
    if (known == alike.end()) {
      alike.push_back({condition, 1});
    } else {
      ++known->count;
    }
  }
  return alike;
}

bool has_trouble(const Scenario& scenario) {
  return std::any_of(scenario.events.begin(), scenario.events.end(), [](const Event& event) {
    return event.kind == Event::Kind::kFail || event.kind == Event::Kind::kHang;
  });
}

Trouble trouble_of(const Scenario& scenario, int node, std::string_view variant,
                   base::Duration at) {
  Trouble trouble;
  for (const Event& event : scenario.events) {
    if (!concerns(event, node, at)) continue;
    if (!event.variant.empty() && event.variant != variant) continue;
    if (event.kind == Event::Kind::kFail)
      trouble.failures = std::max(trouble.failures, event.value);
    if (event.kind == Event::Kind::kHang) trouble.hangs = true;
  }
  return trouble;
}

}  // namespace tachostat::simulate

// What the events make of the nodes at each moment.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

struct Condition {
  double cores = 1;     // that are left
  double slowness = 1;  // times as long
  bool down = false;

  friend bool operator==(const Condition&, const Condition&) = default;
};
Condition condition_of(const Scenario& scenario, int node, base::Duration at);

// When conditions change: the begin, then each begin and end of an event, ascending, each once.
std::vector<base::Duration> changes_of(const Scenario& scenario);

// All nodes, those in the same condition together.
struct NodesAlike {
  Condition condition;
  int count = 0;
};
std::vector<NodesAlike> conditions_at(const Scenario& scenario, base::Duration at);

// What the engine does with a variant at a moment.
struct Trouble {
  double failures = 0;  // share of inferences that fail
  bool hangs = false;
};
bool has_trouble(const Scenario& scenario);  // at any moment
Trouble trouble_of(const Scenario& scenario, int node, std::string_view variant, base::Duration at);

}  // namespace tachostat::simulate

// What is asked for, in words and in outcomes.
#include "app/optimize/optimize_run.h"

namespace tachostat::app {

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return "latency";
    case Objective::kThroughput:
      return "throughput";
    case Objective::kEnergy:
      return "energy";
  }
  return "latency";
}

std::string_view better_by(Objective objective) {
  return objective == Objective::kEnergy ? "as frugal" : "as fast";
}

const Ratio& ratio_by(Objective objective, const Outcome& outcome) {
  switch (objective) {
    case Objective::kLatency:
      return outcome.latency;
    case Objective::kThroughput:
      return outcome.throughput_time;
    case Objective::kEnergy:
      return outcome.energy;
  }
  return outcome.latency;
}

}  // namespace tachostat::app

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/units.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

// As PUT takes them: durations and percentages with units.
std::string to_json(const Targets& targets) {
  nlohmann::json value;
  value["p99"] = nullptr;
  if (targets.p99) value["p99"] = base::format_duration(*targets.p99);
  value["max_drop"] = fmt::format("{:g}%", targets.max_drop * 100);
  return value.dump();
}

double Observation::arrival_rate() const { return per_second(arrivals, seconds()); }
double Observation::throughput() const { return per_second(answered, seconds()); }

}  // namespace tachostat::govern

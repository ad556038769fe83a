// What the machine, its owner and its other tenants take away. All of these slow everything, so
// their shares are of the whole; what they cost is measured, so their intervals are narrow.
#include <algorithm>
#include <array>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

std::vector<Finding> find_quota(const Case& c) {
  constexpr double kLeast = 0.02;
  const double throttled = std::min(1.0, c.reading_or("cgroup/cpu/throttled", 0));
  if (throttled < kLeast) return {};
  const double quota = c.reading_or("cgroup/cpu/quota", -1);
  Finding finding = Case::about("cpu-quota", throttled, 0.5, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "the process is stopped {} of the time because its group has used up its processor quota{}: "
      "threads are held back all at once, which shows as a long tail",
      percent(throttled), quota > 0 ? fmt::format(" of {:.2f} processors", quota) : "");
  finding.evidence = {c.told("stopped by the quota", "cgroup/cpu/throttled", "share")};
  if (quota > 0) finding.evidence.push_back(c.told("quota", "cgroup/cpu/quota", "processors"));
  finding.remedies = {{Remedy::kThreadsAndStreams, {{"threads", "as many as the quota"}}},
                      Remedy::kQuota};
  finding.confidence = 0.95;
  return {std::move(finding)};
}

// Readings that say "slowed because of heat" when they are above zero.
std::string heat_reading(const Case& c) {
  for (const auto& [name, reading] : c.profile().readings) {
    const bool slowed = name == "throttle/core/time" || name == "throttle/package/time" ||
                        name.ends_with("slowed_by/thermal") || name.ends_with("gpu/thermal_level");
    if (slowed && reading.mean > 0.01) return name;
    // A cooling device that limits the processor, and is in use.
    if (name.starts_with("thermal/cooling/Processor") && reading.mean > 0.01) return name;
  }
  return "";
}

// The clock against what it should be; -1: not read.
double frequency_share(const Case& c) {
  const double below = c.reading_or("frequency/below_nominal", -1);
  return below < 0 ? -1 : 1 - below;
}

std::vector<Finding> find_heat(const Case& c) {
  const std::string name = heat_reading(c);
  if (name.empty()) return {};
  const double clock = frequency_share(c);
  const double lost = clock > 0 && clock < 1 ? 1 - clock : std::min(0.5, c.reading_or(name, 0));
  Finding finding =
      Case::about("thermal-throttling", std::max(0.02, lost), 0.3, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "the processor is slowed because of its heat{}",
      clock > 0 && clock < 1 ? fmt::format(": its clock is {} below nominal", percent(1 - clock))
                             : "");
  finding.evidence = {c.told("slowed by heat", name, "share")};
  if (clock > 0) {
    finding.evidence.push_back(c.told("clock below nominal", "frequency/below_nominal", "share"));
  }
  finding.remedies = {Remedy::kCooling,
                      Remedy::kLowerPrecision,
                      {Remedy::kThreadsAndStreams, {{"threads", "fewer"}}}};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

std::string power_reading(const Case& c) {
  for (const auto& [name, reading] : c.profile().readings) {
    const bool limited = name.ends_with("slowed_by/power_cap") ||
                         name.ends_with("firmware/undervoltage") ||
                         (name.starts_with("jetson/over_current") && reading.unit == "1/s");
    if (limited && reading.mean > 0.01) return name;
    if (!name.starts_with("rapl/") || name.ends_with("/limit")) continue;
    const double limit = c.reading_or(name + "/limit", -1);
    if (limit > 0 && reading.mean >= 0.97 * limit) return name;
  }
  return "";
}

std::vector<Finding> find_power(const Case& c) {
  const std::string name = power_reading(c);
  if (name.empty()) return {};
  const double clock = frequency_share(c);
  const double lost = clock > 0 && clock < 1 ? 1 - clock : 0.1;
  Finding finding =
      Case::about("power-throttling", std::max(0.02, lost), 0.2, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "the processor runs at its power limit ('{}'){}", name,
      clock > 0 && clock < 1 ? fmt::format(": its clock is {} below nominal", percent(1 - clock))
                             : "");
  finding.evidence = {c.told(name, name, c.reading(name)->unit)};
  finding.remedies = {Remedy::kPowerLimit, Remedy::kLowerPrecision};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

std::vector<Finding> find_low_frequency(const Case& c) {
  constexpr double kLeast = 0.1;
  const double clock = frequency_share(c);
  if (clock < 0 || clock > 1 - kLeast) return {};
  // Said with its cause already.
  if (!heat_reading(c).empty() || !power_reading(c).empty()) return {};
  Finding finding = Case::about("low-frequency", 1 - clock, 0.3, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "the processor's clock is {} below nominal, and neither heat nor a power limit is the "
      "reason: see its governor",
      percent(1 - clock));
  finding.evidence = {c.told("clock below nominal", "frequency/below_nominal", "share")};
  finding.remedies = {{Remedy::kFrequency, {{"governor", "performance"}}}};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_neighbour(const Case& c) {
  constexpr double kLeastStolen = 0.03;
  constexpr double kLeastOthers = 0.2;
  constexpr double kLeastWaiting = 0.03;
  const double stolen = c.reading_or("processors/stolen_share", 0);
  const double others = c.reading_or("processors/others_share", 0);
  const double waiting = c.reading_or("process/run_delay_share", 0);
  // Waiting for one's own threads has its own rule, and so has waiting beside idle processors.
  const bool own = c.roofline().processors > 0 && c.threads() > c.roofline().processors;
  const bool tied = c.reading_or("processors/idle_share", 0) >= 0.2;
  const bool beside = others >= kLeastOthers && waiting >= kLeastWaiting && !own && !tied;
  if (stolen < kLeastStolen && !beside) return {};
  const double share = std::min(1.0, std::max(stolen, beside ? waiting : 0.0));
  Finding finding = Case::about("noisy-neighbour", share, 0.5, 1, Objective::kLatency);
  finding.summary =
      stolen >= kLeastStolen
          ? fmt::format("the machine that this one is a guest of takes {} of its processors' time",
                        percent(stolen))
          : fmt::format("other processes use {} of the processors, and threads wait {} of the time",
                        percent(others), percent(waiting));
  finding.evidence = {c.told("taken by the host", "processors/stolen_share", "share"),
                      c.told("used by others", "processors/others_share", "share"),
                      c.told("waiting for a processor", "process/run_delay_share", "share")};
  finding.remedies = {Remedy::kNeighbours, {Remedy::kThreadsAndStreams, {{"threads", "fewer"}}}};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

std::vector<Finding> find_memory_pressure(const Case& c) {
  constexpr double kLeast = 0.02;
  const char* const own = "pressure/cgroup/memory/some";
  const char* const name = c.reading(own) != nullptr ? own : "pressure/memory/some";
  const double stalled = c.reading_or(name, 0);
  if (stalled < kLeast) return {};
  Finding finding =
      Case::about("memory-pressure", std::min(1.0, stalled), 0.3, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "some thread waits for memory {} of the time: pages are taken away and fetched again",
      percent(stalled));
  finding.evidence = {c.told("stalled on memory", name, "share")};
  finding.remedies = {Remedy::kMemory,
                      Remedy::kLowerPrecision,
                      {Remedy::kThreadsAndStreams, {{"streams", "fewer"}}}};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

std::vector<Finding> find_remote_memory(const Case& c) {
  constexpr double kLeast = 0.1;
  // Memory of another node is 1.3 to 2 times as far.
  constexpr double kNear = 0.23;
  constexpr double kFar = 0.5;
  double local = 0;
  double remote = 0;
  for (const auto& [name, reading] : c.profile().readings) {
    if (!name.starts_with("numa/")) continue;
    if (name.ends_with("/local_pages")) local += reading.mean;
    if (name.ends_with("/remote_pages")) remote += reading.mean;
  }
  const double share = local + remote > 0 ? remote / (local + remote) : 0;
  if (share < kLeast) return {};
  Finding finding = Case::about("numa-remote", share, kNear * 0.3, kFar, Objective::kLatency);
  finding.summary = fmt::format(
      "{} of new pages lie on another node than the threads that use them", percent(share));
  finding.evidence = {{"pages on another node", share, "share", 1}};
  finding.remedies = {Remedy::kMemoryNode, Remedy::kPinning};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

constexpr std::array<Rule, 7> kRules = {{
    {"cpu-quota", "`cgroup/cpu/throttled`", "2 % of the time",
     "threads-and-streams (as many as the quota), quota", "half to all of it",
     "Linux CFS bandwidth control", find_quota},
    {"thermal-throttling",
     "throttle counters, cooling devices in use, NVML's and the kernel's reasons for slowing",
     "above 1 %", "cooling, lower-precision, fewer threads",
     "30 % to 100 % of what the clock is below nominal (or of the reading)",
     "Intel thermal_throttle, NVML, Linux thermal", find_heat},
    {"power-throttling",
     "power against its limit (RAPL), NVML's and Jetson's reasons, undervoltage",
     "97 % of the limit, or a reason given", "power-limit, lower-precision",
     "20 % to 100 % of what the clock is below nominal; of a tenth where it is not read",
     "RAPL, NVML, Jetson", find_power},
    {"low-frequency", "`frequency/below_nominal`",
     "10 %, with neither heat nor power as the reason", "frequency (governor)",
     "30 % to 100 % of it", "cpufreq, ACPI CPPC", find_low_frequency},
    {"noisy-neighbour",
     "`processors/stolen_share`, `processors/others_share`, `process/run_delay_share`",
     "3 % stolen; or others use 20 % and threads wait 3 % of the time", "neighbours, fewer threads",
     "half to all of it", "/proc/stat, schedstat", find_neighbour},
    {"memory-pressure", "`pressure/memory/some`", "2 % of the time",
     "memory, lower-precision, fewer streams", "30 % to 100 % of it", "Linux PSI",
     find_memory_pressure},
    {"numa-remote", "`numa/*/remote_pages` against local ones", "10 %", "memory-node, pinning",
     "7 % to 50 % of that share: another node is 1.3 to 2 times as far", "numastat",
     find_remote_memory},
}};

}  // namespace

std::span<const Rule> environment_rules() { return kRules; }

}  // namespace tachostat::diagnose

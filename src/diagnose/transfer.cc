// Data and work on their way to another device or machine.
#include <algorithm>
#include <array>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

std::vector<Finding> find_host_device_copies(const Case& c) {
  const std::vector<int> copies =
      c.pick([](const LayerFacts& layer) { return layer.kind == Kind::kHostCopy; });
  if (copies.empty() || c.share_of(copies) < kMinOverhead) return {};
  Finding finding = c.about("host-device-copies", cuts(copies, 0.3, 0.95));
  finding.summary =
      fmt::format("{} of request time copies data between host and device, in {} kinds of copies",
                  percent(finding.share), copies.size());
  finding.evidence = {c.time_of("time in copies", copies)};
  finding.remedies = {Remedy::kShareBuffers, Remedy::kPlace};
  finding.confidence = 0.9;
  return {std::move(finding)};
}

std::vector<Finding> find_network_share(const Case& c) {
  constexpr double kLeast = 0.2;
  const double network = c.reading_or("remote/network", 0);
  const double request = c.request_ns() * 1e-9;
  if (!c.enough_requests() || request <= 0 || network < kLeast * request) return {};
  const double share = std::min(1.0, network / request);
  Finding finding = Case::about("network-share", share, 0.2, 0.95, Objective::kLatency);
  finding.summary =
      fmt::format("{} of request time is on the network between the parts of the model ({} of {})",
                  percent(share), base::format_nanoseconds(network * 1e9),
                  base::format_nanoseconds(request * 1e9));
  finding.evidence = {c.told("time on the network", "remote/network", "s")};
  finding.remedies = {Remedy::kPlace, Remedy::kLowerPrecision};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

// From here on the host's own waiting is what makes the gaps.
constexpr double kLeastWait = 0.1;

// Gaps of a device that the host could have filled: it waited itself (synchronisation), or it could
// not start small kernels fast enough (launch-bound).
std::vector<Finding> find_synchronisation(const Case& c) {
  constexpr double kLeastIdle = 0.15;
  const double idle = c.reading_or("device/idle_share", 0);
  const double wait = c.reading_or("device/host_wait_share", 0);
  if (!c.enough_requests() || idle < kLeastIdle || wait < kLeastWait) return {};
  Finding finding = Case::about("synchronisation-gaps", idle, 0.3, 0.95, Objective::kLatency);
  finding.summary = fmt::format(
      "the device is idle {} of a request while the host waits for it {} of the time: it is asked "
      "for results before it is given the next work",
      percent(idle), percent(wait));
  finding.evidence = {c.told("device idle", "device/idle_share", "share"),
                      c.told("host waiting", "device/host_wait_share", "share")};
  finding.remedies = {{Remedy::kCaptureGraph, {{"results", "asynchronous"}}}, Remedy::kPlace};
  finding.confidence = 0.75;
  return {std::move(finding)};
}

std::vector<Finding> find_launch_bound(const Case& c) {
  constexpr double kLeastIdle = 0.25;
  constexpr double kShortS = 20e-6;
  constexpr double kManyKernels = 20;
  const double idle = c.reading_or("device/idle_share", 0);
  const double kernel = c.reading_or("device/kernel_time", 1);
  const double kernels = c.reading_or("device/kernels", 0);
  const double wait = c.reading_or("device/host_wait_share", 0);
  if (!c.enough_requests() || idle < kLeastIdle || kernel > kShortS || kernels < kManyKernels ||
      wait >= kLeastWait) {
    return {};
  }
  Finding finding = Case::about("launch-bound", idle, 0.3, 0.95, Objective::kLatency);
  finding.summary = fmt::format(
      "{:.0f} kernels of {} on average leave the device idle {} of a request: the host cannot "
      "start them faster",
      kernels, base::format_nanoseconds(kernel * 1e9), percent(idle));
  finding.evidence = {c.told("device idle", "device/idle_share", "share"),
                      c.told("kernels in a request", "device/kernels", ""),
                      c.told("time of a kernel", "device/kernel_time", "s")};
  finding.remedies = {Remedy::kCaptureGraph, Remedy::kFuse, Remedy::kBatch};
  finding.confidence = 0.85;
  return {std::move(finding)};
}

constexpr std::array<Rule, 4> kRules = {{
    {"host-device-copies", "layers and kernels that copy between host and device",
     "3 % of request time", "share-buffers, place", "30 % to 95 % of their time",
     "CUDA best practices: minimise transfers", find_host_device_copies},
    {"network-share",
     "`remote/network`: time of a remote or split variant that is in no part's own",
     "20 % of request time", "place, lower-precision", "20 % to 95 % of it",
     "Neurosurgeon, ASPLOS 2017: partition by measured cost", find_network_share},
    {"synchronisation-gaps", "`device/idle_share`, `device/host_wait_share`",
     "idle 15 %, the host waiting 10 % of the time", "capture-graph, place",
     "30 % to 95 % of the idle time", "CUDA best practices: asynchronous execution",
     find_synchronisation},
    {"launch-bound", "`device/idle_share`, `device/kernels`, `device/kernel_time`",
     "idle 25 %, 20 kernels and more of 20 µs and less on average, and the host waits under 10 %",
     "capture-graph, fuse, batch", "30 % to 95 % of the idle time", "CUDA graphs",
     find_launch_bound},
}};

}  // namespace

std::span<const Rule> transfer_rules() { return kRules; }

}  // namespace tachostat::diagnose

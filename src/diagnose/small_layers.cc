// Many layers so short that starting and joining the threads is a good part of their time.
#include <algorithm>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

constexpr double kSmallNs = 20'000;
constexpr double kSubstantial = 0.2;  // share of request time

// What one parallel region costs to start and join: less than a microsecond among threads that
// spin, several when one of them has to be woken.
constexpr double kLeastJoinNs = 500;
constexpr double kMostJoinNs = 5'000;

}  // namespace

std::vector<Finding> find_small_layers(const profile::Profile& profile, const profile::Roofline&) {
  if (profile.threads < 2) return {};
  // Where worker spans were recorded, a layer without one ran on a single thread: nothing to join.
  const bool seen = std::any_of(profile.layers.begin(), profile.layers.end(),
                                [](const auto& layer) { return layer.thread_efficiency >= 0; });
  const Picked picked = pick(profile, [&](const profile::LayerProfile& layer) {
    return layer.time.mean() < kSmallNs && (layer.thread_efficiency >= 0 || !seen);
  });
  if (picked.share < kSubstantial) return {};
  const double per_request =
      static_cast<double>(picked.executions) / static_cast<double>(profile.request_time.count());
  const double request_ns = profile.request_time.mean();
  // Joining takes at most half of a layer's time, else the layer would have been run by one thread.
  const auto cut = [&](double join_ns) {
    return std::min(per_request * join_ns / request_ns, picked.share / 2);
  };
  const double mean_ns = picked.share * request_ns / per_request;
  Finding finding{.rule = "small-layers"};
  finding.summary = fmt::format(
      "{} of request time goes into {:.0f} layers of {} on average: starting and joining {} "
      "threads for each is a good part of that",
      percent(picked.share), per_request,
      base::format_duration(base::Duration(static_cast<std::int64_t>(mean_ns))), profile.threads);
  finding.layers = picked.names();
  finding.share = picked.share;
  finding.gain_low = cut(kLeastJoinNs);
  finding.gain_high = cut(kMostJoinNs);
  finding.evidence = {
      {"mean time of a layer", mean_ns, "ns", picked.executions},
      {"such layers per request", per_request, "layers", profile.request_time.count()},
      {"threads", static_cast<double>(profile.threads), "", 1}};
  finding.remedies = {Remedy::kThreadsAndStreams};
  return {std::move(finding)};
}

}  // namespace tachostat::diagnose

// Threads that wait while a request runs: seen directly in worker spans, or, without them, when all
// threads together compute no faster than one of them could.
#include <algorithm>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

constexpr double kLowEfficiency = 0.7;
constexpr double kSubstantial = 0.2;  // share of request time

// Idle time can at most all be used by other requests. Contention for memory and caches, and the
// time that one request then takes longer, have been seen to leave no more than a fifth of it.
constexpr double kLeastUse = 0.2;

std::vector<Finding> from_spans(const profile::Profile& profile) {
  const Picked picked = pick(profile, [](const profile::LayerProfile& layer) {
    return layer.thread_efficiency >= 0 && layer.thread_efficiency < kLowEfficiency;
  });
  if (picked.share < kSubstantial) return {};
  const double efficiency = picked.mean([](const auto& layer) { return layer.thread_efficiency; });
  const double idle = picked.share * (1 - efficiency);
  Finding finding{.rule = "idle-workers"};
  finding.summary = fmt::format(
      "the {} threads of a request are idle {} of the time in layers that take {} of it: fewer "
      "threads per request and more requests side by side would use them",
      profile.threads, percent(1 - efficiency), percent(picked.share));
  finding.layers = picked.names();
  finding.share = picked.share;
  finding.gain_low = kLeastUse * idle;
  finding.gain_high = idle;
  finding.evidence = {{"thread efficiency", efficiency, "share", picked.executions},
                      {"threads", static_cast<double>(profile.threads), "", 1}};
  finding.remedies = {Remedy::kThreadsAndStreams};
  return {std::move(finding)};
}

// Says less: a poor kernel on busy threads looks the same. So nothing is promised at the low end.
std::vector<Finding> from_compute(const profile::Profile& profile,
                                  const profile::Roofline& roofline) {
  const double peak = peak_flops(profile, roofline);
  const double limit = ridge(profile, roofline);
  const double single = roofline.single_f32_flops;
  if (peak <= 0 || limit <= 0 || single <= 0 || peak < 1.5 * single) return {};
  const Picked picked = pick(profile, [&](const profile::LayerProfile& layer) {
    const Rates rates = rates_of(layer);
    return is_f32(layer) && rates.intensity >= limit && rates.flops <= single;
  });
  if (picked.share < kSubstantial) return {};
  const double flops = picked.mean([](const auto& layer) { return rates_of(layer).flops; });
  Finding finding{.rule = "idle-workers"};
  finding.summary = fmt::format(
      "{} threads compute {}FLOP/s in layers that take {} of request time, no more than the "
      "{}FLOP/s that one could: some of them are probably idle",
      profile.threads, base::format_count(flops), percent(picked.share),
      base::format_count(single));
  finding.layers = picked.names();
  finding.share = picked.share;
  finding.gain_low = 0;
  finding.gain_high = picked.share * (1 - flops / peak) / 2;
  finding.evidence = {{"achieved compute", flops, "FLOP/s", picked.executions},
                      {"peak compute of one thread", single, "FLOP/s", 1},
                      {"peak compute", peak, "FLOP/s", 1},
                      {"threads", static_cast<double>(profile.threads), "", 1}};
  finding.remedies = {Remedy::kThreadsAndStreams};
  return {std::move(finding)};
}

}  // namespace

std::vector<Finding> find_idle_workers(const profile::Profile& profile,
                                       const profile::Roofline& roofline) {
  if (profile.threads < 2) return {};
  const bool seen = std::any_of(profile.layers.begin(), profile.layers.end(),
                                [](const auto& layer) { return layer.thread_efficiency >= 0; });
  return seen ? from_spans(profile) : from_compute(profile, roofline);
}

}  // namespace tachostat::diagnose

// Layers that wait for data: left of the roofline's ridge, and moving it about as fast as the
// memory or the cache that it comes from can.
#include <algorithm>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

constexpr double kNearBandwidth = 0.5;  // of the measured one; streams of a layer reach 60 to 90 %
// Above this much of the memory's bandwidth, data must have come from a cache.
constexpr double kFromCache = 1.2;
constexpr double kMostlyWeights = 0.5;

// Half the bits are half the bytes; conversions have been seen to eat up to two thirds of that.
constexpr double kBestCut = 0.5;
constexpr double kLeastCut = 0.15;
// A batch of 4 reads weights once instead of four times; one of 2 once instead of twice, and half
// of that may be lost in waiting for company.
constexpr double kBestWeightCut = 0.75;
constexpr double kLeastWeightCut = 0.25;

bool from_cache(double bytes, const profile::Roofline& roofline) {
  return bytes > kFromCache * roofline.memory_bandwidth;
}

// Of the level that the data must have come from; -1 when that was not measured.
double bandwidth_for(double bytes, const profile::Roofline& roofline) {
  return from_cache(bytes, roofline) ? roofline.cache_bandwidth : roofline.memory_bandwidth;
}

bool is_memory_bound(const profile::LayerProfile& layer, double limit,
                     const profile::Roofline& roofline) {
  const Rates rates = rates_of(layer);
  if (rates.bytes <= 0 || rates.intensity < 0 || rates.intensity >= limit) return false;
  const double bandwidth = bandwidth_for(rates.bytes, roofline);
  return bandwidth > 0 && rates.bytes >= kNearBandwidth * bandwidth;
}

}  // namespace

std::vector<Finding> find_memory_bound(const profile::Profile& profile,
                                       const profile::Roofline& roofline) {
  const double limit = ridge(profile, roofline);
  if (limit <= 0) return {};
  const Picked picked = pick(profile, [&](const profile::LayerProfile& layer) {
    return is_memory_bound(layer, limit, roofline);
  });
  if (!picked.worth_a_finding()) return {};

  const double bytes = picked.mean([](const auto& layer) { return rates_of(layer).bytes; });
  const double intensity = picked.mean([](const auto& layer) { return rates_of(layer).intensity; });
  const double weights =
      picked.mean([](const auto& layer) { return std::max(0.0, rates_of(layer).weights); });
  const double f32 = picked.mean([](const auto& layer) { return is_f32(layer) ? 1.0 : 0.0; });

  Finding finding{.rule = "memory-bound"};
  if (f32 * picked.share >= kMinShare) {
    finding.remedies.push_back(Remedy::kLowerPrecision);
    finding.gain_low = kLeastCut * f32 * picked.share;
    finding.gain_high = kBestCut * f32 * picked.share;
  }
  if (weights >= kMostlyWeights) {
    finding.remedies.push_back(Remedy::kBatch);
    finding.gain_low = std::max(finding.gain_low, kLeastWeightCut * weights * picked.share);
    finding.gain_high = std::max(finding.gain_high, kBestWeightCut * weights * picked.share);
  }
  if (finding.remedies.empty()) return {};
  const double bandwidth = bandwidth_for(bytes, roofline);
  finding.summary = fmt::format(
      "{} of request time waits for data: {:.2f} FLOP per byte at {}B/s, {} of this machine's {} "
      "bandwidth; {} of the bytes are weights",
      percent(picked.share), intensity, base::format_count(bytes),
      percent(bytes / (bandwidth > 0 ? bandwidth : roofline.memory_bandwidth)),
      bandwidth > 0 && from_cache(bytes, roofline) ? "cache" : "memory", percent(weights));
  finding.layers = picked.names();
  finding.share = picked.share;
  finding.evidence = {{"achieved bandwidth", bytes, "B/s", picked.executions},
                      {"memory bandwidth", roofline.memory_bandwidth, "B/s", 1},
                      {"arithmetic intensity", intensity, "FLOP/byte", picked.executions},
                      {"ridge intensity", limit, "FLOP/byte", 1},
                      {"weights among bytes", weights, "share", picked.executions}};
  if (roofline.cache_bandwidth > 0) {
    finding.evidence.push_back({"cache bandwidth", roofline.cache_bandwidth, "B/s", 1});
  }
  return {std::move(finding)};
}

}  // namespace tachostat::diagnose

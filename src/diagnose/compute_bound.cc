// Layers whose arithmetic is what takes the time: right of the roofline's ridge and near its roof.
#include "base/status.h"
#include "base/units.h"
#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

// Of the measured peak. Good kernels reach 60 to 90 % of it on real layers.
constexpr double kNearRoof = 0.5;

// Half the bits double the peak, so at best half the layers' time goes. Conversions between layers,
// and layers that do not scale, have been seen to eat up to two thirds of that.
constexpr double kBestCut = 0.5;
constexpr double kLeastCut = 0.15;

}  // namespace

std::vector<Finding> find_compute_bound(const profile::Profile& profile,
                                        const profile::Roofline& roofline) {
  const double peak = peak_flops(profile, roofline);
  const double limit = ridge(profile, roofline);
  if (peak <= 0 || limit <= 0) return {};
  const Picked picked = pick(profile, [&](const profile::LayerProfile& layer) {
    const Rates rates = rates_of(layer);
    return is_f32(layer) && rates.intensity >= limit && rates.flops >= kNearRoof * peak;
  });
  if (!picked.worth_a_finding()) return {};

  const double flops = picked.mean([](const auto& layer) { return rates_of(layer).flops; });
  const double intensity = picked.mean([](const auto& layer) { return rates_of(layer).intensity; });
  Finding finding{.rule = "compute-bound"};
  finding.summary = fmt::format(
      "{} of request time is f32 arithmetic at {}FLOP/s, {} of this machine's peak: fewer bits per "
      "number would let it compute faster",
      percent(picked.share), base::format_count(flops), percent(flops / peak));
  finding.layers = picked.names();
  finding.share = picked.share;
  finding.gain_low = kLeastCut * picked.share;
  finding.gain_high = kBestCut * picked.share;
  finding.evidence = {{"achieved compute", flops, "FLOP/s", picked.executions},
                      {"peak compute", peak, "FLOP/s", 1},
                      {"arithmetic intensity", intensity, "FLOP/byte", picked.executions},
                      {"ridge intensity", limit, "FLOP/byte", 1}};
  finding.remedies = {Remedy::kLowerPrecision};
  return {std::move(finding)};
}

}  // namespace tachostat::diagnose

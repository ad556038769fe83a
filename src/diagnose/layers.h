// What rules know of a layer beyond its times, and what they may take as proof.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diagnose/diagnose.h"
#include "profile/profile.h"

namespace tachostat::diagnose {

// Fewer executions prove nothing; less of the request's time is not worth a trial.
inline constexpr std::uint64_t kMinRequests = 8;
inline constexpr double kMinShare = 0.10;

// A layer's place in the roofline model, at the precision that it runs in. -1: unknown.
struct Rates {
  double flops = -1;      // per second, achieved
  double bytes = -1;      // per second, achieved
  double intensity = -1;  // FLOP per byte
  double weights = -1;    // share of its bytes that are weights
};
Rates rates_of(const profile::LayerProfile& layer);

// Whether the layer computes in f32, so that a lower precision exists.
bool is_f32(const profile::LayerProfile& layer);

// Peak f32 FLOP/s of one request's threads; -1 when not measured.
double peak_flops(const profile::Profile& profile, const profile::Roofline& roofline);
// FLOP per byte where compute and memory limits meet, for those threads; -1 when not measured.
double ridge(const profile::Profile& profile, const profile::Roofline& roofline);

// Layers that a rule picked, with sums over them.
struct Picked {
  std::vector<const profile::LayerProfile*> layers;  // most expensive first
  double share = 0;
  std::uint64_t executions = 0;

  bool worth_a_finding() const { return !layers.empty() && share >= kMinShare; }
  std::vector<std::string> names() const;
  // Mean of `value` weighted by the layers' time.
  double mean(const std::function<double(const profile::LayerProfile&)>& value) const;
};
// Only layers that ran at least kMinRequests times are asked.
Picked pick(const profile::Profile& profile,
            const std::function<bool(const profile::LayerProfile&)>& wanted);

std::string percent(double share);

// The rules. Each lives in the file of its name.
std::vector<Finding> find_compute_bound(const profile::Profile&, const profile::Roofline&);
std::vector<Finding> find_memory_bound(const profile::Profile&, const profile::Roofline&);
std::vector<Finding> find_idle_workers(const profile::Profile&, const profile::Roofline&);
std::vector<Finding> find_small_layers(const profile::Profile&, const profile::Roofline&);
std::vector<Finding> find_dynamic_shapes(const profile::Profile&, const profile::Roofline&);

}  // namespace tachostat::diagnose

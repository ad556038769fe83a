#include <algorithm>
#include <array>

#include "diagnose/layers.h"

namespace tachostat::diagnose {
namespace {

constexpr std::array<NamedRule, 5> kRules = {{{"compute-bound", find_compute_bound},
                                              {"memory-bound", find_memory_bound},
                                              {"idle-workers", find_idle_workers},
                                              {"small-layers", find_small_layers},
                                              {"dynamic-shapes", find_dynamic_shapes}}};

}  // namespace

std::span<const NamedRule> rules() { return kRules; }

std::vector<Finding> diagnose(const profile::Profile& profile, const profile::Roofline& roofline) {
  std::vector<Finding> findings;
  for (const NamedRule& rule : kRules) {
    for (Finding& finding : rule.rule(profile, roofline)) findings.push_back(std::move(finding));
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return a.gain_low + a.gain_high > b.gain_low + b.gain_high;
  });
  return findings;
}

}  // namespace tachostat::diagnose

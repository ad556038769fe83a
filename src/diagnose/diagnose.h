// A profile and a roofline in, ranked findings out. A rule is a pure function in a file of its own;
// registering it is one line in rules.cc. Method: the roofline model (Williams, Waterman, Patterson
// 2009) per layer, and thread efficiency from worker spans.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace tachostat::diagnose {

// What could be done, for a proposer to turn into variants.
enum class Remedy { kLowerPrecision, kThreadsAndStreams, kBatch, kStaticShapes };
std::string_view name_of(Remedy remedy);  // "lower-precision", …

struct Evidence {
  std::string metric{};  // "thread efficiency", "arithmetic intensity", …
  double value = 0;
  std::string unit{};
  std::uint64_t n = 0;  // executions or requests behind it
};

struct Finding {
  std::string rule{};                 // "compute-bound"
  std::string summary{};              // one sentence with numbers, for people
  std::vector<std::string> layers{};  // most expensive first
  double share = 0;                   // of request time spent in those layers
  double gain_low = 0;  // expected cut of request time by the best remedy, as a share: interval
  double gain_high = 0;
  std::vector<Evidence> evidence{};
  std::vector<Remedy> remedies{};
};

using Rule = std::vector<Finding> (*)(const profile::Profile&, const profile::Roofline&);

struct NamedRule {
  std::string_view name;
  Rule rule;
};
std::span<const NamedRule> rules();

// All rules' findings, the largest expected gain first.
std::vector<Finding> diagnose(const profile::Profile& profile, const profile::Roofline& roofline);

std::string to_json(const std::vector<Finding>& findings);
std::string to_text(const std::vector<Finding>& findings);

}  // namespace tachostat::diagnose

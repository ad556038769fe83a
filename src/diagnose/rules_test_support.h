// Profiles with planted causes, and what tests ask of findings.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnose/diagnose.h"

namespace tachostat::diagnose {

using profile::LayerProfile;
using profile::Profile;
using profile::Roofline;
using profile::Tensor;

constexpr std::uint64_t kRequests = 100;
constexpr std::uint64_t kRequestNs = 10'000'000;

// 100 GFLOP/s with two threads and 20 GB/s: the ridge is at 5 FLOP per byte.
inline Roofline machine() {
  return {.threads = 2,
          .peak_f32_flops = 100e9,
          .single_f32_flops = 50e9,
          .memory_bandwidth = 20e9,
          .cache_bandwidth = 200e9};
}

// A layer that takes `share` of a request, at these rates per second; `weights` is their share of
// the bytes.
inline LayerProfile layer(std::string name, double share, double flops, double bytes,
                          double weights = 0.1) {
  const double ns = share * kRequestNs;
  LayerProfile layer{.name = std::move(name), .type = "Convolution", .precision = "f32"};
  layer.time.record(static_cast<std::uint64_t>(ns), kRequests);
  layer.share = share;
  const double total = bytes * ns * 1e-9;
  layer.work = {.flops = flops * ns * 1e-9,
                .weight_bytes = weights * total,
                .input_bytes = (1 - weights) * total / 2,
                .output_bytes = (1 - weights) * total / 2};
  return layer;
}

// One that reads what `producers` make, on busy threads; neither its work nor anything else of it
// is known.
inline LayerProfile node(std::string name, std::string type, double share,
                         const std::vector<int>& producers = {Tensor::kModelInput}) {
  LayerProfile one{.name = std::move(name), .type = std::move(type), .precision = "f32"};
  one.time.record(static_cast<std::uint64_t>(share * kRequestNs), kRequests);
  one.share = share;
  one.thread_efficiency = 0.95;
  for (const int producer : producers) {
    one.inputs.push_back({.type = "f32", .shape = {1, 64, 56, 56}, .producer = producer});
  }
  one.outputs = {{.type = "f32", .shape = {1, 64, 56, 56}}};
  return one;
}

inline Profile profile_of(std::vector<LayerProfile> layers) {
  Profile profile{.model = "net", .variant = "v", .bucket = "x[1,3]", .threads = 2};
  profile.static_shapes = true;
  profile.request_time.record(kRequestNs, kRequests);
  profile.layers = std::move(layers);
  const auto total = static_cast<std::uint64_t>(profile.layer_total_ns());
  profile.unattributed_ns = profile.request_time.sum() - total;
  return profile;
}

// Busy threads, at half of either roof's distance: nothing stands out.
inline LayerProfile healthy(double share) {
  LayerProfile one = layer("fine", share, 40e9, 4e9);
  one.thread_efficiency = 0.95;
  return one;
}

// One in which nothing stands out but these readings.
inline Profile reading_profile(const std::map<std::string, double>& readings) {
  Profile profile = profile_of({healthy(0.98)});
  for (const auto& [name, value] : readings) {
    profile.readings[name] = {.mean = value, .low = value, .high = value, .n = kRequests};
  }
  return profile;
}

inline std::vector<std::string> rules_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) names.push_back(finding.rule);
  return names;
}

inline std::vector<Remedy::Kind> kinds_of(const Finding& finding) {
  std::vector<Remedy::Kind> kinds;
  for (const Remedy& remedy : finding.remedies) kinds.push_back(remedy.kind);
  return kinds;
}

// What one rule says of a profile among all the others.
inline std::optional<Finding> said(std::string_view rule, const Profile& profile,
                                   const Roofline& roofline = machine(),
                                   const Profile* baseline = nullptr) {
  for (Finding& finding : diagnose(profile, roofline, baseline)) {
    if (finding.rule == rule) return std::move(finding);
  }
  return std::nullopt;
}

inline bool speaks(std::string_view rule, const Profile& profile,
                   const Roofline& roofline = machine(), const Profile* baseline = nullptr) {
  return said(rule, profile, roofline, baseline).has_value();
}

// Of any finding, whatever the profile.
inline void expect_sane(const Finding& finding) {
  constexpr double kRounding = 1e-9;
  EXPECT_GE(finding.gain_low, 0) << finding.rule;
  EXPECT_LE(finding.gain_low, finding.gain_high) << finding.rule;
  EXPECT_LE(finding.gain_high, finding.share + kRounding) << finding.rule;
  EXPECT_LE(finding.share, 1 + kRounding) << finding.rule;
  EXPECT_THAT(finding.evidence, testing::Not(testing::IsEmpty())) << finding.rule;
  EXPECT_THAT(finding.remedies, testing::Not(testing::IsEmpty())) << finding.rule;
  EXPECT_THAT(finding.summary, testing::Not(testing::IsEmpty())) << finding.rule;
}

inline void expect_honest(const Finding& finding) {
  expect_sane(finding);
  EXPECT_GT(finding.gain_high, 0) << finding.rule;
}

// Nobody promises more of a layer than it takes, all findings of an objective together.
inline void expect_promised_once(const std::vector<Finding>& findings) {
  std::map<std::pair<Objective, int>, double> promised;
  std::map<std::pair<Objective, int>, double> share;
  for (const Finding& finding : findings) {
    for (const Part& part : finding.parts) {
      if (part.layer == Part::kNoLayer) continue;
      const std::pair<Objective, int> key(finding.objective, part.layer);
      promised[key] += part.gain_high;
      share[key] = std::max(share[key], part.share);
    }
  }
  for (const auto& [key, gain] : promised) EXPECT_LE(gain, share[key] + 1e-9) << key.second;
}

struct Expected {
  std::string_view rule;
  std::vector<std::string> layers;
  double share = 0;
  Objective objective = Objective::kLatency;
  std::vector<Remedy::Kind> remedies;
};

// `finding` is what `said` gave.
inline void expect_found(const std::optional<Finding>& finding, const Expected& expected) {
  ASSERT_TRUE(finding.has_value()) << expected.rule;
  expect_honest(*finding);
  EXPECT_EQ(finding->layers, expected.layers) << expected.rule;
  EXPECT_NEAR(finding->share, expected.share, 1e-6) << expected.rule;
  EXPECT_EQ(finding->objective, expected.objective) << expected.rule;
  EXPECT_EQ(kinds_of(*finding), expected.remedies) << expected.rule;
}

}  // namespace tachostat::diagnose

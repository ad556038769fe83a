#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "diagnose/diagnose.h"

namespace tachostat::diagnose {
namespace {

using profile::LayerProfile;
using profile::Profile;
using profile::Roofline;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kRequests = 100;
constexpr std::uint64_t kRequestNs = 10'000'000;

// 100 GFLOP/s with two threads and 20 GB/s: the ridge is at 5 FLOP per byte.
Roofline machine() {
  return {.threads = 2,
          .peak_f32_flops = 100e9,
          .single_f32_flops = 50e9,
          .memory_bandwidth = 20e9,
          .cache_bandwidth = 200e9};
}

// A layer that takes `share` of a request, at these rates per second; `weights` is their share of
// the bytes.
LayerProfile layer(std::string name, double share, double flops, double bytes,
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

Profile profile_of(std::vector<LayerProfile> layers) {
  Profile profile{.model = "net", .variant = "v", .bucket = "x[1,3]", .threads = 2};
  profile.static_shapes = true;
  profile.request_time.record(kRequestNs, kRequests);
  profile.layers = std::move(layers);
  const auto total = static_cast<std::uint64_t>(profile.layer_total_ns());
  profile.unattributed_ns = profile.request_time.sum() - total;
  return profile;
}

// Busy threads, at half of either roof's distance: nothing stands out.
LayerProfile healthy(double share) {
  LayerProfile one = layer("fine", share, 40e9, 4e9);
  one.thread_efficiency = 0.95;
  return one;
}

std::vector<std::string> rules_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) names.push_back(finding.rule);
  return names;
}

void expect_honest(const Finding& finding) {
  EXPECT_GE(finding.gain_low, 0);
  EXPECT_GT(finding.gain_high, 0);
  EXPECT_LE(finding.gain_low, finding.gain_high);
  EXPECT_LE(finding.gain_high, finding.share);
  EXPECT_LE(finding.share, 1);
  EXPECT_THAT(finding.evidence, Not(IsEmpty()));
  EXPECT_THAT(finding.remedies, Not(IsEmpty()));
  EXPECT_THAT(finding.summary, Not(IsEmpty()));
}

TEST(Rules, HealthyProfileHasNoFindings) {
  EXPECT_THAT(diagnose(profile_of({healthy(0.98)}), machine()), IsEmpty());
}

TEST(Rules, NothingIsClaimedWithoutEvidence) {
  EXPECT_THAT(diagnose({}, {}), IsEmpty());
  EXPECT_THAT(diagnose({}, machine()), IsEmpty());
  EXPECT_THAT(diagnose(profile_of({}), {}), IsEmpty());
  Profile unknown = profile_of({healthy(0.9)});
  for (LayerProfile& one : unknown.layers) one.work = {};
  EXPECT_THAT(diagnose(unknown, machine()), IsEmpty());
}

TEST(Rules, TooFewRequestsProveNothing) {
  Profile profile = profile_of({layer("conv", 0.9, 80e9, 4e9)});
  profile.request_time.clear();
  profile.request_time.record(kRequestNs, 7);
  for (LayerProfile& one : profile.layers) {
    one.time.clear();
    one.time.record(kRequestNs * 9 / 10, 7);
    one.thread_efficiency = 0.2;
  }
  EXPECT_THAT(diagnose(profile, machine()), IsEmpty());
}

TEST(ComputeBound, LayersNearTheRoofAreFound) {
  const Profile profile =
      profile_of({layer("small", 0.2, 80e9, 4e9), layer("large", 0.5, 70e9, 2e9), healthy(0.28)});
  const std::vector<Finding> findings = diagnose(profile, machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("compute-bound"));
  expect_honest(findings[0]);
  EXPECT_THAT(findings[0].layers, ElementsAre("large", "small"));
  EXPECT_NEAR(findings[0].share, 0.7, 1e-9);
  EXPECT_THAT(findings[0].remedies,
              ElementsAre(Remedy(Remedy::kLowerPrecision), Remedy(Remedy::kPrune)));
  EXPECT_NEAR(findings[0].gain_high, 0.35, 1e-9);
}

TEST(ComputeBound, LayersThatRunInLessThanF32AreNot) {
  LayerProfile half = layer("half", 0.9, 80e9, 4e9);
  half.precision = "bf16";
  EXPECT_THAT(diagnose(profile_of({half}), machine()), IsEmpty());
}

TEST(ComputeBound, SmallSharesAreNotWorthAFinding) {
  EXPECT_THAT(diagnose(profile_of({layer("conv", 0.09, 80e9, 4e9), healthy(0.9)}), machine()),
              IsEmpty());
}

TEST(ComputeBound, OneThreadIsComparedWithTheRoofOfOne) {
  Profile profile = profile_of({layer("conv", 0.9, 40e9, 4e9)});
  profile.threads = 1;
  EXPECT_THAT(rules_of(diagnose(profile, machine())), ElementsAre("compute-bound"));
}

TEST(MemoryBound, LayersNearTheBandwidthAreFound) {
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("eltwise", 0.4, 2e9, 15e9), healthy(0.58)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("memory-bound"));
  expect_honest(findings[0]);
  EXPECT_THAT(findings[0].layers, ElementsAre("eltwise"));
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kLowerPrecision));
  EXPECT_THAT(findings[0].summary, HasSubstr("75 % of this machine's memory bandwidth"));
}

TEST(MemoryBound, WeightsAreAmortisedByBatches) {
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("matmul", 0.8, 5e9, 15e9, 0.9)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("memory-bound"));
  expect_honest(findings[0]);
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kLowerPrecision, Remedy::kBatch));
}

TEST(MemoryBound, InLowPrecisionOnlyBatchesHelp) {
  LayerProfile half = layer("eltwise", 0.8, 2e9, 15e9);
  half.precision = "bf16";
  EXPECT_THAT(diagnose(profile_of({half}), machine()), IsEmpty());
  LayerProfile weights = layer("matmul", 0.8, 2e9, 15e9, 0.9);
  weights.precision = "bf16";
  const std::vector<Finding> findings = diagnose(profile_of({weights}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("memory-bound"));
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kBatch));
}

TEST(MemoryBound, DataFromTheCacheIsComparedWithTheCache) {
  EXPECT_THAT(diagnose(profile_of({layer("relu", 0.8, 2e9, 60e9)}), machine()), IsEmpty());
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("relu", 0.8, 2e9, 150e9)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("memory-bound"));
  EXPECT_THAT(findings[0].summary, HasSubstr("75 % of this machine's cache bandwidth"));
}

TEST(IdleWorkers, LowEfficiencyOverMuchOfTheTimeIsFound) {
  LayerProfile idle = layer("lstm", 0.6, 20e9, 1e9);
  idle.thread_efficiency = 0.5;
  const std::vector<Finding> findings = diagnose(profile_of({idle, healthy(0.38)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("idle-workers"));
  expect_honest(findings[0]);
  EXPECT_NEAR(findings[0].gain_high, 0.3, 1e-9);
  EXPECT_NEAR(findings[0].gain_low, 0.06, 1e-9);
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kThreadsAndStreams));
  EXPECT_EQ(findings[0].evidence[0].metric, "thread efficiency");
  EXPECT_EQ(findings[0].evidence[0].n, kRequests);
}

TEST(IdleWorkers, OneThreadCannotBeIdle) {
  LayerProfile idle = layer("lstm", 0.6, 20e9, 1e9);
  idle.thread_efficiency = 0.5;
  Profile profile = profile_of({idle, healthy(0.38)});
  profile.threads = 1;
  for (const Finding& finding : diagnose(profile, machine())) {
    EXPECT_NE(finding.rule, "idle-workers");
  }
}

TEST(IdleWorkers, ASmallIdlePartIsNotWorthAFinding) {
  LayerProfile idle = layer("lstm", 0.19, 20e9, 1e9);
  idle.thread_efficiency = 0.1;
  EXPECT_THAT(diagnose(profile_of({idle, healthy(0.8)}), machine()), IsEmpty());
}

TEST(IdleWorkers, WithoutWorkerSpansComputeTellsButPromisesNothing) {
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("conv", 0.9, 30e9, 2e9)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("idle-workers"));
  expect_honest(findings[0]);
  EXPECT_EQ(findings[0].gain_low, 0);
  EXPECT_LT(findings[0].gain_high, 0.45);
}

TEST(IdleWorkers, WithoutARooflineComputeTellsNothing) {
  EXPECT_THAT(diagnose(profile_of({layer("conv", 0.9, 30e9, 2e9)}), {}), IsEmpty());
}

TEST(SmallLayers, ManyShortLayersAreFound) {
  std::vector<LayerProfile> layers;
  for (int i = 0; i < 400; ++i) {
    layers.push_back(layer("relu" + std::to_string(i), 0.001, 1e9, 1e9));
    layers.back().thread_efficiency = 0.9;
  }
  layers.push_back(healthy(0.58));
  const std::vector<Finding> findings = diagnose(profile_of(layers), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("small-layers"));
  expect_honest(findings[0]);
  EXPECT_NEAR(findings[0].gain_low, 400 * 500.0 / kRequestNs, 1e-9);
  EXPECT_NEAR(findings[0].gain_high, 0.2, 1e-9);

  for (LayerProfile& one : layers) one.thread_efficiency = one.name == "fine" ? 0.9 : -1;
  EXPECT_THAT(diagnose(profile_of(layers), machine()), IsEmpty()) << "they ran on one thread";
}

TEST(DynamicShapes, TimeBetweenLayersOfAnOpenVariantIsFound) {
  Profile profile = profile_of({healthy(0.85)});
  profile.static_shapes = false;
  const std::vector<Finding> findings = diagnose(profile, machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("dynamic-shapes"));
  expect_honest(findings[0]);
  EXPECT_THAT(findings[0].summary, HasSubstr("x[1,3]"));
  EXPECT_LE(findings[0].gain_high, 0.15);
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kStaticShapes));
}

TEST(DynamicShapes, NotWithFixedShapesLittleTimeLostSpansOrUnknownShapes) {
  Profile open = profile_of({healthy(0.85)});
  open.static_shapes = false;
  ASSERT_THAT(diagnose(open, machine()), SizeIs(1));

  Profile fixed = open;
  fixed.static_shapes = true;
  EXPECT_THAT(diagnose(fixed, machine()), IsEmpty());
  Profile lost = open;
  lost.dropped_spans = 1;
  EXPECT_THAT(diagnose(lost, machine()), IsEmpty());
  Profile unknown = open;
  unknown.bucket = "dynamic";
  EXPECT_THAT(diagnose(unknown, machine()), IsEmpty());
  Profile little = profile_of({healthy(0.98)});
  little.static_shapes = false;
  EXPECT_THAT(diagnose(little, machine()), IsEmpty());
}

TEST(Diagnose, LargestExpectedGainFirst) {
  LayerProfile idle = layer("lstm", 0.7, 20e9, 1e9);
  idle.thread_efficiency = 0.3;
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("eltwise", 0.2, 2e9, 15e9), idle}), machine());
  EXPECT_THAT(rules_of(findings), ElementsAre("idle-workers", "memory-bound"));
}

TEST(Diagnose, EveryRuleSaysWhatItIs) {
  std::set<std::string_view> names;
  for (const Family& family : families()) {
    EXPECT_THAT(family.rules, Not(IsEmpty())) << family.name;
    for (const Rule& rule : family.rules) {
      EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
      EXPECT_NE(rule.find, nullptr) << rule.name;
      for (const std::string_view text :
           {rule.metric, rule.threshold, rule.remedy, rule.gain, rule.source}) {
        EXPECT_THAT(text, Not(IsEmpty())) << rule.name;
      }
    }
  }
}

// `tachostat diagnose --rules` writes what stands between the two marks.
TEST(Diagnose, ThePageOfRulesIsUpToDate) {
  std::ifstream file(std::string(TACHOSTAT_SOURCE_DIR) + "/docs/rules.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(),
              HasSubstr("<!-- rules -->\n" + rules_markdown() + "\n<!-- end of rules -->"));
}

}  // namespace
}  // namespace tachostat::diagnose

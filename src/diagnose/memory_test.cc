#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(MemoryBound, HalfOfTheBandwidthIsTheLeast) {
  EXPECT_TRUE(speaks("memory-bound", profile_of({layer("eltwise", 0.4, 2e9, 10.1e9)})));
  EXPECT_FALSE(speaks("memory-bound", profile_of({layer("eltwise", 0.4, 2e9, 9.9e9)})));
  EXPECT_FALSE(speaks("memory-bound", profile_of({layer("eltwise", 0.09, 2e9, 15e9)})));
}

Profile over_cache(double bytes_per_s, std::int64_t batch) {
  LayerProfile one = layer("conv", 0.5, 2e9, bytes_per_s, 0);
  one.inputs = {{.type = "f32", .shape = {batch, 64, 56, 56}, .producer = Tensor::kModelInput}};
  return profile_of({one});
}

TEST(CacheThrashing, BatchesThatDoNotFitAreFound) {
  Roofline cached = machine();
  cached.last_level_bytes = 20e6;  // 15 GB/s for 5 ms are 75 MB
  expect_found(
      said("cache-thrashing", over_cache(15e9, 8), cached),
      {"cache-thrashing", {"conv"}, 0.5, Objective::kThroughput, {Remedy::kBatch, Remedy::kFuse}});
  EXPECT_FALSE(speaks("memory-bound", over_cache(15e9, 8), cached)) << "said with its cause";
  EXPECT_FALSE(speaks("cache-thrashing", over_cache(9.9e9, 8), cached)) << "memory is not busy";
  EXPECT_FALSE(speaks("cache-thrashing", over_cache(15e9, 2), cached)) << "one does not fit";
  EXPECT_FALSE(speaks("cache-thrashing", over_cache(15e9, 1), cached));
  EXPECT_TRUE(speaks("memory-bound", over_cache(15e9, 1), cached));
  cached.last_level_bytes = 80e6;
  EXPECT_FALSE(speaks("cache-thrashing", over_cache(15e9, 8), cached)) << "it fits";
}

TEST(CacheThrashing, LinesThatAreFetchedAgainAreFound) {
  Roofline cached = machine();
  cached.last_level_bytes = 20e6;
  Profile profile = over_cache(6e9, 1);
  const double lines = profile.layers[0].work.bytes() / 64;
  profile.layers[0].metrics["cache_misses"] = 1.51 * lines;
  EXPECT_TRUE(speaks("cache-thrashing", profile, cached));
  profile.layers[0].metrics["cache_misses"] = 1.49 * lines;
  EXPECT_FALSE(speaks("cache-thrashing", profile, cached));
}

TEST(Reorders, ConversionsWithoutACommonCauseAreFound) {
  const auto with = [](double share) {
    return profile_of({node("conv1", "Convolution", 0.4), node("between", "Reorder", share, {0}),
                       node("conv2", "Convolution", 0.4, {1})});
  };
  expect_found(said("reorders", with(0.05)), {"reorders",
                                              {"between"},
                                              0.05,
                                              Objective::kLatency,
                                              {Remedy::kKeepLayout, Remedy::kReplaceOperator}});
  EXPECT_TRUE(speaks("reorders", with(0.031)));
  EXPECT_FALSE(speaks("reorders", with(0.029)));
  EXPECT_FALSE(speaks("reorders", profile_of({node("x", "Broadcast", 0.3)})))
      << "it changes no number format";
}

TEST(Reorders, AtTheBorderTheCallerWantsThem) {
  const auto with = [](double in, double out) {
    return profile_of({node("in", "Reorder", in), node("a", "Convolution", 0.35, {0}),
                       node("b", "Convolution", 0.35, {1}), node("out", "Reorder", out, {2})});
  };
  EXPECT_FALSE(speaks("reorders", with(0.049, 0.049)));
  EXPECT_TRUE(speaks("reorders", with(0.051, 0.051)));
}

// Element-wise layers one after the other, of equal bytes.
Profile chain(double each, const std::string& second = "Mul") {
  Profile profile = profile_of(
      {node("conv", "MaxPool", 0.3), node("a", "Add", each, {0}), node("b", second, each, {1})});
  for (LayerProfile& one : profile.layers) {
    one.work = {.flops = 1e3, .weight_bytes = 0, .input_bytes = 1e5, .output_bytes = 1e5};
  }
  return profile;
}

TEST(UnfusedChain, ElementWiseLayersInARowAreFound) {
  const auto finding = said("unfused-chain", chain(0.1));
  expect_found(finding, {"unfused-chain",
                         {"a", "b"},
                         0.2,
                         Objective::kLatency,
                         {Remedy::kFuse, Remedy::kReplaceOperator}});
  EXPECT_NEAR(finding->gain_high, 0.1, 1e-6) << "one write and one read of four";
  EXPECT_TRUE(speaks("unfused-chain", chain(0.0155)));
  EXPECT_FALSE(speaks("unfused-chain", chain(0.0145)));
}

TEST(UnfusedChain, AloneAfterAMultiplicationIsFoundToo) {
  Profile profile = chain(0.1, "Softmax");
  EXPECT_FALSE(speaks("unfused-chain", profile));
  profile.layers[0].type = "Convolution";
  const auto finding = said("unfused-chain", profile);
  ASSERT_TRUE(finding.has_value());
  EXPECT_THAT(finding->layers, ElementsAre("a"));
}

TEST(UnfusedChain, WhatOthersReadTooCannotBeFused) {
  Profile profile = chain(0.1);
  profile.layers.push_back(node("c", "MaxPool", 0.1, {1}));
  EXPECT_FALSE(speaks("unfused-chain", profile));
  Profile integers = chain(0.1);
  integers.layers[2].outputs[0].type = "u8";
  EXPECT_FALSE(speaks("unfused-chain", integers)) << "a step to integers";
}

TEST(UnfusedChain, WithoutEdgesThreeInARow) {
  Profile profile = chain(0.1);
  profile.layers.push_back(node("c", "Sub", 0.1));
  for (LayerProfile& one : profile.layers) one.inputs.clear();
  EXPECT_TRUE(speaks("unfused-chain", profile));
  profile.layers.pop_back();
  EXPECT_FALSE(speaks("unfused-chain", profile));
}

TEST(OutputCopies, LayersThatOnlyCopyAreFound) {
  expect_found(said("output-copies", profile_of({node("split", "Split", 0.2), healthy(0.7)})),
               {"output-copies",
                {"split"},
                0.2,
                Objective::kLatency,
                {Remedy::kShareBuffers, Remedy::kReplaceOperator}});
  EXPECT_FALSE(speaks("output-copies", profile_of({node("split", "Split", 0.029)})));
  LayerProfile computes = node("copy", "Split", 0.2);
  computes.work.flops = 1e6;
  EXPECT_FALSE(speaks("output-copies", profile_of({computes})));
  EXPECT_FALSE(speaks("output-copies", profile_of({node("in", "Memcpy HtoD", 0.2)})));
}

TEST(OverMemoryBudget, WhatIsAboveItIsFound) {
  const auto finding =
      said("over-memory-budget", reading_profile({{"memory/held", 5e9}, {"memory/budget", 4e9}}));
  expect_found(finding, {"over-memory-budget",
                         {},
                         1,
                         Objective::kMemory,
                         {Remedy::kLowerPrecision, Remedy::kQuantise, Remedy::kThreadsAndStreams}});
  EXPECT_NEAR(finding->gain_high, 0.2, 1e-9);
  EXPECT_FALSE(speaks("over-memory-budget",
                      reading_profile({{"memory/held", 4e9}, {"memory/budget", 4e9}})));
  EXPECT_FALSE(speaks("over-memory-budget", reading_profile({{"memory/held", 5e9}})));
}

TEST(Paging, PagesFromDiskAreFound) {
  expect_found(said("paging", reading_profile({{"process/major_faults_per_request", 2}})),
               {"paging", {}, 0.2, Objective::kLatency, {Remedy::kMemory, Remedy::kWarmUp}});
  Profile rare = reading_profile({{"process/major_faults_per_request", 0.049}});
  rare.request_time.clear();
  rare.request_time.record(100'000, kRequests);
  EXPECT_FALSE(speaks("paging", rare));
  EXPECT_FALSE(speaks("paging", reading_profile({{"process/minor_faults_per_request", 5000}})));
}

TEST(RequestAllocations, NewPagesOnTheRequestPathAreFound) {
  expect_found(
      said("request-allocations", reading_profile({{"process/minor_faults_per_request", 2000}})),
      {"request-allocations",
       {},
       0.2,
       Objective::kLatency,
       {Remedy::kShareBuffers, Remedy::kMemory}});
  EXPECT_FALSE(
      speaks("request-allocations", reading_profile({{"process/minor_faults_per_request", 299}})));
  EXPECT_FALSE(
      speaks("request-allocations", reading_profile({{"process/major_faults_per_request", 5}})));
}

}  // namespace
}  // namespace tachostat::diagnose

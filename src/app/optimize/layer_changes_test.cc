#include "app/optimize/layer_changes.h"

#include <gtest/gtest.h>

namespace tachostat::app {
namespace {

profile::LayerProfile layer(const std::string& name, const std::string& type,
                            const std::string& precision, std::uint64_t us,
                            std::vector<std::string> originals) {
  profile::LayerProfile made{.name = name,
                             .originals = std::move(originals),
                             .type = type,
                             .kernel = "jit_" + precision,
                             .precision = precision};
  made.time.record(us * 1000);
  made.slices = {{.count = 1, .sum_ns = us * 1000}};
  return made;
}

profile::Profile before() {
  profile::Profile profile;
  profile.layers = {layer("in_reorder", "Reorder", "f32", 50, {}),
                    layer("conv1", "Convolution", "f32", 1000, {"conv1", "relu1"}),
                    layer("gate", "Subgraph", "f32", 200, {"gate"}),
                    layer("conv2", "Convolution", "f32", 800, {"conv2"})};
  profile.layers.push_back({.name = "reshape", .originals = {"reshape"}, .type = "Reshape"});
  return profile;
}

profile::Profile after() {
  profile::Profile profile;
  profile.layers = {
      layer("conv1:0/quantise", "Subgraph", "f32", 40, {"conv1:0/quantise"}),
      layer("conv1:0/quantise_conv1", "Reorder", "u8", 30, {}),
      layer("conv1", "Convolution", "u8", 400, {"conv1", "Multiply_7", "conv2:0/quantise", "gate"}),
      layer("conv2", "Convolution", "f32", 900, {"conv2"})};
  return profile;
}

TEST(LayerChanges, MatchesByTheLayerThatOthersAreFusedTo) {
  const LayerChanges changes = layer_changes(before(), after());
  ASSERT_EQ(changes.layers.size(), 2U);
  EXPECT_EQ(changes.layers[0].name, "conv1");
  EXPECT_EQ(changes.layers[0].after[0].precision, "u8");
  EXPECT_EQ(changes.layers[1].name, "conv2");
  EXPECT_NEAR(changes.layers[1].gain_ms(), -0.1, 1e-9);
}

TEST(LayerChanges, WhatIsFusedNowCountsWithItsKernel) {
  const LayerChanges changes = layer_changes(before(), after());
  EXPECT_EQ(changes.layers[0].before.size(), 2U);
  EXPECT_NEAR(changes.layers[0].before_ms, 1.2, 1e-9);
  EXPECT_NEAR(changes.layers[0].gain_ms(), 0.8, 1e-9);
}

TEST(LayerChanges, StepsAreNoLayers) {
  const LayerChanges changes = layer_changes(before(), after());
  ASSERT_EQ(changes.steps.size(), 3U);
  EXPECT_FALSE(changes.steps[0].after);
  EXPECT_EQ(changes.steps[0].kind, LayerStep::Kind::kReorder);
  EXPECT_EQ(changes.steps[1].kind, LayerStep::Kind::kQuantise);
  EXPECT_EQ(changes.steps[2].kind, LayerStep::Kind::kReorder);
}

TEST(LayerChanges, TimeByClassLosesNothing) {
  const LayerChanges changes = layer_changes(before(), after());
  const std::vector<double> was = time_by_class(changes, false);
  const std::vector<double> is = time_by_class(changes, true);
  const auto at = [](const std::vector<double>& ms, LayerClass kind) {
    return ms[static_cast<std::size_t>(kind)];
  };
  EXPECT_NEAR(at(was, LayerClass::kFloatProduct), 1.8, 1e-9);
  EXPECT_NEAR(at(was, LayerClass::kOtherLayer), 0.2, 1e-9);
  EXPECT_NEAR(at(was, LayerClass::kReorder), 0.05, 1e-9);
  EXPECT_NEAR(at(is, LayerClass::kIntegerProduct), 0.4, 1e-9);
  EXPECT_NEAR(at(is, LayerClass::kFloatProduct), 0.9, 1e-9);
  EXPECT_NEAR(at(is, LayerClass::kQuantiseStep), 0.04, 1e-9);
  EXPECT_NEAR(at(is, LayerClass::kReorder), 0.03, 1e-9);
}

TEST(LayerChanges, EmptyProfilesGiveNothing) {
  const LayerChanges changes = layer_changes({}, {});
  EXPECT_TRUE(changes.layers.empty());
  EXPECT_TRUE(changes.steps.empty());
}

}  // namespace
}  // namespace tachostat::app

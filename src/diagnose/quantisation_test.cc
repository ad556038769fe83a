#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

// A step of `step` of request time before a product in integers that takes `product`.
Profile quantised(double step, double product) {
  Profile profile =
      profile_of({node("stem", "MaxPool", 0.1), node("quantise", "QuantizeLinear", step, {0}),
                  node("matmul", "MatMul", product, {1})});
  profile.layers[1].outputs[0].type = "u8";
  profile.layers[2].inputs[0].type = "u8";
  profile.layers[2].precision = "u8";
  return profile;
}

TEST(StandaloneQuantise, AStepThatCostsMoreThanItSavesIsFound) {
  // Integers take half as long where their peak is not known: 0.05 is saved.
  const auto finding = said("standalone-quantise", quantised(0.2, 0.05));
  expect_found(finding, {"standalone-quantise",
                         {"quantise"},
                         0.2,
                         Objective::kLatency,
                         {Remedy::kPlaceQuantisers, Remedy::kHigherPrecision}});
  EXPECT_NEAR(finding->gain_high, 0.15, 1e-3);
}

TEST(StandaloneQuantise, OneThatSavesMoreThanItCostsIsNot) {
  EXPECT_TRUE(speaks("standalone-quantise", quantised(0.1, 0.08)));
  EXPECT_FALSE(speaks("standalone-quantise", quantised(0.1, 0.11)));
  EXPECT_FALSE(speaks("standalone-quantise", quantised(0.029, 0)));
}

TEST(StandaloneQuantise, ALayerThatTurnsFloatsToIntegersIsAStepByAnyName) {
  Profile profile = quantised(0.2, 0.05);
  profile.layers[1].type = "Subgraph";
  EXPECT_TRUE(speaks("standalone-quantise", profile));
  profile.layers[1].outputs[0].type = "f32";
  EXPECT_FALSE(speaks("standalone-quantise", profile));
  profile.layers[1].type = "Convolution";
  profile.layers[1].outputs[0].type = "u8";
  EXPECT_FALSE(speaks("standalone-quantise", profile)) << "fused into what multiplies";
}

// A join of integers and `other`, before a floating-point convolution.
Profile joined(double share, const std::string& other, const std::string& made = "f32") {
  Profile profile =
      profile_of({node("int", "MatMul", 0.25), node("float", "Convolution", 0.4),
                  node("join", "Concat", 0.01, {0, 1}), node("conv", "Convolution", share, {2})});
  profile.layers[0].precision = "u8";
  profile.layers[2].inputs[0].type = "u8";
  profile.layers[2].inputs[1].type = other;
  profile.layers[2].outputs[0].type = made;
  return profile;
}

TEST(Int8BrokenByBranch, ABranchThatIsNotQuantisedIsFound) {
  expect_found(
      said("int8-broken-by-branch", joined(0.3, "f32")),
      {"int8-broken-by-branch", {"conv"}, 0.3, Objective::kLatency, {Remedy::kPlaceQuantisers}});
  EXPECT_TRUE(speaks("int8-broken-by-branch", joined(0.031, "f32")));
  EXPECT_FALSE(speaks("int8-broken-by-branch", joined(0.029, "f32")));
  EXPECT_FALSE(speaks("int8-broken-by-branch", joined(0.3, "u8"))) << "both are quantised";
  EXPECT_FALSE(speaks("int8-broken-by-branch", joined(0.3, "f32", "u8"))) << "it makes integers";
}

TEST(DynamicQuantisation, RangesFoundInEachRequestAreFound) {
  const auto with = [](double share, const char* type) {
    return profile_of({node("range", type, share), healthy(0.7)});
  };
  expect_found(said("dynamic-quantisation", with(0.1, "DynamicQuantizeLinear")),
               {"dynamic-quantisation", {"range"}, 0.1, Objective::kLatency, {Remedy::kQuantise}});
  EXPECT_FALSE(speaks("dynamic-quantisation", with(0.029, "DynamicQuantizeLinear")));
  EXPECT_FALSE(speaks("dynamic-quantisation", with(0.1, "QuantizeLinear")));
  EXPECT_FALSE(speaks("dynamic-quantisation", with(0.1, "DynamicQuantizeMatMul")))
      << "most of it multiplies";
}

TEST(Int8Slower, IntegersThatTakeLongerThanBeforeAreFound) {
  const auto with = [](double share, const char* precision) {
    Profile profile = profile_of({node("conv", "Convolution", share)});
    profile.layers[0].precision = precision;
    return profile;
  };
  const Profile before = with(0.2, "f32");
  const auto finding = said("int8-slower", with(0.4, "u8"), machine(), &before);
  expect_found(finding, {"int8-slower",
                         {"conv"},
                         0.4,
                         Objective::kLatency,
                         {Remedy::kHigherPrecision, Remedy::kKernel}});
  EXPECT_FALSE(speaks("int8-slower", with(0.4, "u8"))) << "without a baseline";
  EXPECT_TRUE(speaks("int8-slower", with(0.222, "u8"), machine(), &before));
  EXPECT_FALSE(speaks("int8-slower", with(0.218, "u8"), machine(), &before));
  EXPECT_FALSE(speaks("int8-slower", with(0.4, "f32"), machine(), &before))
      << "not the integers' fault";
}

TEST(Int8Slower, AFusedLayerIsHeldAgainstAllThatIsInside) {
  const Profile before = profile_of({node("conv", "Convolution", 0.2), node("relu", "Relu", 0.2)});
  Profile after = profile_of({node("conv+relu", "Convolution", 0.3)});
  after.layers[0].precision = "i8";
  after.layers[0].originals = {"conv", "relu"};
  EXPECT_FALSE(speaks("int8-slower", after, machine(), &before));
  after.layers[0].originals = {"conv"};
  EXPECT_TRUE(speaks("int8-slower", after, machine(), &before));
}

}  // namespace
}  // namespace tachostat::diagnose

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::HasSubstr;

// conv, reorder, odd, reorder, conv: `odd` makes both of its neighbours convert.
Profile cascade(double each) {
  return profile_of({node("before", "Convolution", 0.3), node("in", "Reorder", each, {0}),
                     node("odd", "Normalize", 0.2, {1}), node("out", "Reorder", each, {2}),
                     node("after", "Convolution", 0.2, {3})});
}

TEST(Cascade, ConversionsOnEitherSideOfALayerHaveOneCause) {
  const auto finding = said("cascade", cascade(0.05));
  expect_found(finding, {"cascade",
                         {"in", "out"},
                         0.1,
                         Objective::kLatency,
                         {Remedy::kKeepLayout, Remedy::kKernel, Remedy::kReplaceOperator}});
  EXPECT_EQ(finding->remedies[0].settings.at("layer"), "odd");
  EXPECT_THAT(finding->summary, HasSubstr("'odd'"));
  EXPECT_FALSE(speaks("reorders", cascade(0.05))) << "said with its cause already";
}

TEST(Cascade, ConversionsThroughOneAnotherBelongToIt) {
  Profile profile = profile_of({node("before", "Convolution", 0.3), node("a", "Reorder", 0.02, {0}),
                                node("b", "Convert", 0.03, {1}), node("odd", "Softmax", 0.2, {2}),
                                node("c", "Reorder", 0.01, {3})});
  const auto finding = said("cascade", profile);
  ASSERT_TRUE(finding.has_value());
  EXPECT_THAT(finding->layers, testing::ElementsAre("b", "a", "c"));
}

TEST(Cascade, WhereAllLayersConvertNobodyIsTheCause) {
  const Profile profile =
      profile_of({node("conv0", "Convolution", 0.2), node("t0", "Transpose", 0.05, {0}),
                  node("conv1", "Convolution", 0.2, {1}), node("t1", "Transpose", 0.05, {2}),
                  node("conv2", "Convolution", 0.2, {3}), node("t2", "Transpose", 0.05, {4})});
  EXPECT_FALSE(speaks("cascade", profile));
  EXPECT_TRUE(speaks("reorders", profile));
}

TEST(Cascade, TooLittleIsNotSaid) {
  EXPECT_TRUE(speaks("cascade", cascade(0.0155)));
  EXPECT_FALSE(speaks("cascade", cascade(0.0145)));
}

TEST(Cascade, ConversionsFarApartHaveNoCommonCause) {
  const Profile profile =
      profile_of({node("in", "Reorder", 0.05), node("a", "Convolution", 0.4, {0}),
                  node("b", "Convolution", 0.4, {1}), node("out", "Reorder", 0.05, {2})});
  EXPECT_FALSE(speaks("cascade", profile));
  EXPECT_TRUE(speaks("reorders", profile));
}

TEST(Cascade, ASmallOneDoesNotHideWhatIsWorthSayingTogether) {
  Profile profile = cascade(0.0125);
  profile.layers.push_back(node("far", "Convolution", 0.1, {4}));
  profile.layers.push_back(node("last", "Reorder", 0.02, {5}));
  profile.layers.push_back(node("end", "Convolution", 0.1, {6}));
  EXPECT_FALSE(speaks("cascade", profile));
  const auto finding = said("reorders", profile);
  ASSERT_TRUE(finding.has_value());
  EXPECT_NEAR(finding->share, 0.045, 1e-9);
}

TEST(ShapeSubgraph, LayersThatMakeShapesAreFound) {
  LayerProfile tiny = node("gather", "Gather", 0.02, {0});
  tiny.outputs = {{.type = "i64", .shape = {4}}};
  const Profile profile =
      profile_of({node("shape", "ShapeOf", 0.03), tiny, node("conv", "Convolution", 0.9, {1})});
  expect_found(said("shape-subgraph", profile), {"shape-subgraph",
                                                 {"shape", "gather"},
                                                 0.05,
                                                 Objective::kLatency,
                                                 {Remedy::kStaticShapes, Remedy::kFoldConstants}});
}

TEST(ShapeSubgraph, LittleTimeAndIntegersThatAreDataAreNot) {
  EXPECT_FALSE(speaks("shape-subgraph", profile_of({node("shape", "ShapeOf", 0.029)})));
  LayerProfile tokens = node("gather", "Gather", 0.5);
  tokens.outputs = {{.type = "i64", .shape = {1, 512}}};
  EXPECT_FALSE(speaks("shape-subgraph", profile_of({tokens})));
  tokens.outputs = {{.type = "i64", .shape = {-1}}};
  EXPECT_FALSE(speaks("shape-subgraph", profile_of({tokens}))) << "of unknown size";
  LayerProfile product = node("matmul", "MatMul", 0.5);
  product.outputs = {{.type = "i32", .shape = {4}}};
  EXPECT_FALSE(speaks("shape-subgraph", profile_of({product}))) << "it multiplies";
}

Profile branches(double left, double right, double efficiency) {
  Profile profile =
      profile_of({node("stem", "Convolution", 0.1), node("left", "Convolution", left, {0}),
                  node("right", "Convolution", right, {0}), node("join", "Concat", 0.05, {1, 2})});
  for (LayerProfile& one : profile.layers) one.thread_efficiency = efficiency;
  return profile;
}

TEST(BranchesInTurn, WhatLiesBesideTheLongestPathIsFound) {
  expect_found(said("branches-in-turn", branches(0.4, 0.3, 0.75)),
               {"branches-in-turn",
                {"right"},
                0.3,
                Objective::kLatency,
                {Remedy::kThreadsAndStreams, Remedy::kReplaceOperator}});
}

TEST(BranchesInTurn, BusyThreadsUnequalBranchesAndOneThreadAreNot) {
  EXPECT_FALSE(speaks("branches-in-turn", branches(0.4, 0.3, 0.81)));
  EXPECT_FALSE(speaks("branches-in-turn", branches(0.4, 0.3, -1))) << "not seen";
  EXPECT_FALSE(speaks("branches-in-turn", branches(0.6, 0.15, 0.5))) << "the path is long";
  EXPECT_FALSE(speaks("branches-in-turn", branches(0.1, 0.09, 0.5))) << "too little beside it";
  Profile single = branches(0.4, 0.3, 0.5);
  single.threads = 1;
  EXPECT_FALSE(speaks("branches-in-turn", single));
}

Profile twice(double share, const std::string& type = "MatMul") {
  return profile_of({node("stem", "Convolution", 0.3), node("once", type, 0.1, {0}),
                     node("again", type, share, {0}), node("join", "Concat", 0.05, {1, 2})});
}

TEST(DuplicateLayers, TheSecondAndWhatFollowsFromItAreFound) {
  Profile profile = twice(0.1);
  profile.layers.push_back(node("a", "Softmax", 0.05, {1}));
  profile.layers.push_back(node("b", "Softmax", 0.05, {2}));
  expect_found(
      said("duplicate-layers", profile),
      {"duplicate-layers", {"again", "b"}, 0.15, Objective::kLatency, {Remedy::kDeduplicate}});
}

TEST(DuplicateLayers, LittleTimeOtherInputsAndWeightsAreNot) {
  EXPECT_TRUE(speaks("duplicate-layers", twice(0.031)));
  EXPECT_FALSE(speaks("duplicate-layers", twice(0.029)));
  EXPECT_FALSE(speaks("duplicate-layers", twice(0.1, "Convolution"))) << "weights may differ";
  EXPECT_FALSE(speaks("duplicate-layers", twice(0.1, "Eltwise"))) << "what it does is not known";

  Profile constants = twice(0.1);
  for (const std::size_t at : {1U, 2U}) {
    constants.layers[at].inputs.push_back({.type = "f32", .producer = Tensor::kConstant});
  }
  EXPECT_FALSE(speaks("duplicate-layers", constants));
  Profile weights = twice(0.1);
  for (const std::size_t at : {1U, 2U}) weights.layers[at].work.weight_bytes = 1e6;
  EXPECT_FALSE(speaks("duplicate-layers", weights)) << "weights that no input shows";
  Profile shapes = twice(0.1);
  shapes.layers[2].outputs[0].shape = {1, 32, 112, 56};
  EXPECT_FALSE(speaks("duplicate-layers", shapes));
  Profile unknown = twice(0.1);
  for (const std::size_t at : {1U, 2U}) unknown.layers[at].inputs[0].producer = Tensor::kUnknown;
  EXPECT_FALSE(speaks("duplicate-layers", unknown));
}

TEST(DuplicateLayers, TwoInputsOfTheModelAreNotTheSame) {
  Profile profile = profile_of({node("left", "Softmax", 0.3), node("right", "Softmax", 0.3)});
  EXPECT_TRUE(speaks("duplicate-layers", profile));
  profile.bucket = "a[1,3] b[1,3]";
  EXPECT_FALSE(speaks("duplicate-layers", profile));
}

// Output "b" has `share` of request time for itself.
Profile two_outputs(double share, double asked, std::uint64_t n) {
  Profile profile =
      profile_of({node("stem", "Convolution", 0.4), node("head a", "Convolution", 0.3, {0}),
                  node("head b", "Convolution", share, {0})});
  profile.layers[1].answers = {"a"};
  profile.layers[2].answers = {"b"};
  profile.readings["output/a/asked"] = {.mean = 1, .low = 1, .high = 1, .n = n};
  profile.readings["output/b/asked"] = {
      .mean = asked, .low = 0, .high = asked > 0 ? 1.0 : 0, .n = n};
  return profile;
}

TEST(DeadOutputs, LayersThatServeNobodyAreFound) {
  const auto finding = said("dead-outputs", two_outputs(0.2, 0, 100));
  expect_found(finding,
               {"dead-outputs", {"head b"}, 0.2, Objective::kLatency, {Remedy::kCutOutputs}});
  EXPECT_EQ(finding->remedies[0].settings.at("output"), "b");
}

TEST(DeadOutputs, RareUseFewRequestsLittleTimeAndUnknownEdgesAreNot) {
  EXPECT_FALSE(speaks("dead-outputs", two_outputs(0.2, 0.001, 100))) << "somebody asked once";
  EXPECT_FALSE(speaks("dead-outputs", two_outputs(0.2, 0, 99)));
  EXPECT_FALSE(speaks("dead-outputs", two_outputs(0.029, 0, 100)));
  Profile unknown = two_outputs(0.2, 0, 100);
  for (LayerProfile& one : unknown.layers) one.inputs.clear();
  EXPECT_FALSE(speaks("dead-outputs", unknown)) << "what serves whom is not known";
}

}  // namespace
}  // namespace tachostat::diagnose

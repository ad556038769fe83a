#include "diagnose/integers.h"

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::HasSubstr;

// Integers are twice as fast as f32, and nothing of 16 bits is.
Roofline integers_only() {
  Roofline roofline = machine();
  roofline.peak_int8_ops = 200e9;
  roofline.instruction_sets = {"avx2"};
  return roofline;
}

// One that reads what `producer` makes, at this rate.
LayerProfile multiplying(std::string name, double share, double flops, int producer,
                         model::Shape shape = {1, 64, 56, 56}) {
  LayerProfile one = layer(std::move(name), share, flops, 1e9);
  one.thread_efficiency = 0.95;
  one.inputs = {{.type = "f32", .shape = shape, .producer = producer}};
  one.outputs = {{.type = "f32", .shape = std::move(shape)}};
  return one;
}

Cut cut_of(const std::vector<Cut>& cuts, int layer) {
  for (const Cut& cut : cuts) {
    if (cut.layer == layer) return cut;
  }
  return {layer, 0, 0};
}

std::vector<Cut> cuts_for(std::vector<LayerProfile> layers) {
  const Profile profile = profile_of(std::move(layers));
  const Roofline roofline = integers_only();
  return cuts_by_integers(Case(profile, roofline));
}

TEST(Integers, LargeConvolutionsInARowGain) {
  const auto cuts = cuts_for({multiplying("a", 0.4, 80e9, Tensor::kModelInput, {1, 3, 8, 8}),
                              multiplying("b", 0.4, 80e9, 0)});
  const Cut second = cut_of(cuts, 1);
  EXPECT_NEAR(second.high, 1 - 80.0 / (0.95 * 200), 1e-9);
  EXPECT_NEAR(second.low, 0.8 * 0.5, 0.01) << "the part that is arithmetic, halved";
}

TEST(Integers, APeakThatNobodyMeasuredFollowsFromTheInstructions) {
  const Profile profile = profile_of({multiplying("a", 0.4, 80e9, Tensor::kModelInput)});
  const auto high = [&profile](std::vector<std::string> sets) {
    Roofline roofline = machine();  // 100 GFLOP/s in f32
    roofline.peak_int8_ops = 0;     // and a fifth of the time is always left
    roofline.instruction_sets = std::move(sets);
    return cut_of(cuts_by_integers(Case(profile, roofline)), 0).high;
  };
  EXPECT_NEAR(high({"avx2"}), 1 - 80.0 / (1.1 * 0.95 * 200), 1e-9);
  EXPECT_NEAR(high({"avx2", "avx512f", "avx512_vnni"}), 0.8, 1e-9);
  EXPECT_NEAR(high({"asimddp"}), 0.8, 1e-9);
}

TEST(Integers, StepsAtBordersToFloatingPointAreOnlyPaidAtTheLowEnd) {
  const auto together = cuts_for({multiplying("a", 0.4, 80e9, Tensor::kModelInput, {1, 3, 8, 8}),
                                  multiplying("b", 0.4, 80e9, 0)});
  auto softmax = node("float", "Softmax", 0.01, {0});
  const auto apart = cuts_for({multiplying("a", 0.4, 80e9, Tensor::kModelInput, {1, 3, 8, 8}),
                               softmax, multiplying("b", 0.4, 80e9, 1)});
  // 200,704 elements at 60 FLOP each and 100 GFLOP/s, and 1.5 µs, of 4 ms.
  EXPECT_NEAR(cut_of(together, 1).low - cut_of(apart, 2).low, (120'422 + 1'500) / 4e6, 1e-4);
  EXPECT_EQ(cut_of(together, 1).high, cut_of(apart, 2).high);
}

TEST(Integers, ActivationsThatWereFusedMayComeOut) {
  const auto plain = cuts_for({multiplying("a", 0.4, 80e9, Tensor::kModelInput)});
  LayerProfile gelu = multiplying("a", 0.4, 80e9, Tensor::kModelInput);
  gelu.originals = {"Conv.1", "Erf.0"};
  LayerProfile swish = gelu;
  swish.originals = {"Conv.1", "HSwish_8864"};
  EXPECT_LT(cut_of(cuts_for({swish}), 0).low, cut_of(plain, 0).low);
  EXPECT_LT(cut_of(cuts_for({gelu}), 0).low, cut_of(cuts_for({swish}), 0).low);
  LayerProfile relu = gelu;
  relu.originals = {"Multiply_1", "BatchNormalization@2", "Relu@1", "Conv@2"};
  EXPECT_EQ(cut_of(cuts_for({relu}), 0).low, cut_of(plain, 0).low) << "fused by integers too";
}

TEST(Integers, SmallLayersMayLose) {
  // 8 µs each.
  std::vector<LayerProfile> layers;
  for (int i = 0; i < 1000; ++i) {
    layers.push_back(multiplying(std::to_string(i), 0.0008, 50e9,
                                 i == 0 ? Tensor::kModelInput : i - 1, {1, 8, 8, 8}));
  }
  EXPECT_LT(cut_of(cuts_for(layers), 5).low, 0);
}

TEST(Integers, MatrixProductsWithoutAnInstructionForThemMayTakeLonger) {
  LayerProfile product = multiplying("fc", 0.4, 80e9, Tensor::kModelInput, {1, 64});
  product.type = "FullyConnected";
  EXPECT_LT(cut_of(cuts_for({product}), 0).low, -0.2);
  EXPECT_GT(cut_of(cuts_for({product}), 0).high, 0.5);
}

TEST(Integers, WhatOnlyMovesDataBetweenThemMovesFewerBytes) {
  const auto cuts = cuts_for({multiplying("a", 0.4, 80e9, Tensor::kModelInput),
                              node("pool", "MaxPool", 0.1, {0}), node("end", "Softmax", 0.1, {1})});
  EXPECT_EQ(cut_of(cuts, 1).high, 0.75);
  EXPECT_EQ(cut_of(cuts, 2).high, 0);
}

TEST(Integers, DepthwiseConvolutionsStayAsTheyAre) {
  LayerProfile depthwise = multiplying("dw", 0.4, 10e9, Tensor::kModelInput);
  depthwise.kernel = "brgconv_avx2_dw_f32";
  EXPECT_EQ(cut_of(cuts_for({depthwise}), 0).high, 0);
}

TEST(Integers, FindingsSayThatTheyMayLose) {
  LayerProfile gelu = multiplying("conv", 0.1, 60e9, Tensor::kModelInput, {1, 64, 112, 112});
  gelu.originals = {"Conv.1", "Erf.0"};
  const auto finding = said("compute-bound", profile_of({gelu, healthy(0.8)}), integers_only());
  ASSERT_TRUE(finding.has_value());
  EXPECT_LT(finding->gain_low, 0);
  EXPECT_GT(finding->gain_high, 0);
  EXPECT_THAT(finding->summary, HasSubstr("may lose"));
}

}  // namespace
}  // namespace tachostat::diagnose

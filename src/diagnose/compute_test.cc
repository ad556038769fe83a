#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(ComputeBound, HalfOfThePeakIsTheLeast) {
  EXPECT_TRUE(speaks("compute-bound", profile_of({layer("conv", 0.9, 50.1e9, 4e9)})));
  EXPECT_FALSE(speaks("compute-bound", profile_of({layer("conv", 0.9, 49.9e9, 4e9)})));
  EXPECT_FALSE(speaks("compute-bound", profile_of({layer("conv", 0.9, 60e9, 15e9)})))
      << "left of the ridge";
}

TEST(ComputeBound, NothingWithoutAFasterPrecision) {
  Roofline same = machine();
  same.peak_int8_ops = 110e9;
  EXPECT_FALSE(speaks("compute-bound", profile_of({layer("conv", 0.9, 80e9, 4e9)}), same));
  same.peak_int8_ops = 400e9;
  const auto finding = said("compute-bound", profile_of({layer("conv", 0.9, 80e9, 4e9)}), same);
  expect_found(
      finding,
      {"compute-bound", {"conv"}, 0.9, Objective::kLatency, {Remedy::kQuantise, Remedy::kPrune}});
  EXPECT_NEAR(finding->gain_high, 0.9 * (1 - 80.0 / (0.95 * 400)), 1e-9)
      << "at 95 % of the integers' peak";
}

LayerProfile kernel(LayerProfile one, std::string name) {
  one.kernel = std::move(name);
  return one;
}

TEST(SlowKernel, ReferenceImplementationsAreFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kKernel, Remedy::kReplaceOperator};
  for (const char* name : {"ref_any_f32", "conv_naive", "gemm:generic"}) {
    const Profile profile = profile_of({kernel(layer("conv", 0.3, 10e9, 1e9), name), healthy(0.6)});
    expect_found(said("slow-kernel", profile),
                 {"slow-kernel", {"conv"}, 0.3, Objective::kLatency, remedies});
  }
}

TEST(SlowKernel, GoodRatesLittleTimeAndOtherWordsAreNot) {
  const auto speaks_of = [](double share, double flops, const char* name) {
    return speaks("slow-kernel", profile_of({kernel(layer("conv", share, flops, 1e9), name)}));
  };
  EXPECT_FALSE(speaks_of(0.3, 26e9, "ref_any_f32"));
  EXPECT_FALSE(speaks_of(0.029, 10e9, "ref_any_f32"));
  EXPECT_FALSE(speaks_of(0.3, 10e9, "jit_avx2_prefetch")) << "no word of its own";
}

TEST(SlowKernel, FarBehindItsNeighboursIsFound) {
  const auto among = [](double flops) {
    std::vector<LayerProfile> layers = {layer("behind", 0.2, flops, 1e9)};
    layers[0].inputs = {{.type = "f32", .shape = {1, 13, 56, 56}, .producer = Tensor::kModelInput}};
    for (int i = 0; i < 4; ++i) {
      layers.push_back(layer("other" + std::to_string(i), 0.15, 45e9, 4e9));
    }
    return profile_of(std::move(layers));
  };
  expect_found(said("slow-kernel", among(17e9)),
               {"slow-kernel",
                {"behind"},
                0.2,
                Objective::kLatency,
                {Remedy::kPadChannels, Remedy::kKernel, Remedy::kReplaceOperator}});
  EXPECT_FALSE(speaks("slow-kernel", among(19e9)));
  Profile depthwise = among(17e9);
  depthwise.layers[0].kernel = "jit_avx2_dw";
  EXPECT_FALSE(speaks("slow-kernel", depthwise)) << "depthwise ones are another kind";
}

TEST(VectorUnitUnused, KernelsOfALowerSetAreFound) {
  Roofline wide = machine();
  wide.instruction_sets = {"avx2", "avx512f"};
  const auto with = [](double share, const char* name) {
    return profile_of({kernel(layer("conv", share, 40e9, 4e9), name)});
  };
  expect_found(said("vector-unit-unused", with(0.3, "jit_avx2"), wide),
               {"vector-unit-unused",
                {"conv"},
                0.3,
                Objective::kLatency,
                {Remedy::kKernel, Remedy::kPadChannels}});
  EXPECT_FALSE(speaks("vector-unit-unused", with(0.029, "jit_avx2"), wide));
  EXPECT_FALSE(speaks("vector-unit-unused", with(0.3, "jit_avx512_core"), wide));
  EXPECT_FALSE(speaks("vector-unit-unused", with(0.3, "convolve_fast"), wide))
      << "the name says nothing";
  EXPECT_FALSE(speaks("vector-unit-unused", with(0.3, "jit_avx2"))) << "sets are not known";
}

TEST(VectorUnitUnused, AnIntegerKernelOfTheRightWidthMayUseTheDotProduct) {
  Roofline vnni = machine();
  vnni.instruction_sets = {"avx2", "avx512f", "avx512_vnni"};
  const auto with = [](const char* name) {
    Profile profile = profile_of({kernel(layer("conv", 0.3, 40e9, 4e9), name)});
    profile.layers[0].precision = "u8";
    return profile;
  };
  EXPECT_FALSE(speaks("vector-unit-unused", with("brgconv_avx512_1x1_I8"), vnni));
  EXPECT_TRUE(speaks("vector-unit-unused", with("jit_avx2_I8"), vnni));
}

TEST(VectorUnitUnused, IdleTensorCoresAreFound) {
  Profile profile = profile_of({node("gemm", "aten::mm", 0.4)});
  profile.layers[0].metrics["sm__inst_executed_pipe_tensor.pct"] = 0.5;
  EXPECT_TRUE(speaks("vector-unit-unused", profile));
  profile.layers[0].metrics["sm__inst_executed_pipe_tensor.pct"] = 1;
  EXPECT_FALSE(speaks("vector-unit-unused", profile));
  profile.layers[0].type = "Softmax";
  profile.layers[0].metrics["sm__inst_executed_pipe_tensor.pct"] = 0;
  EXPECT_FALSE(speaks("vector-unit-unused", profile)) << "it does not multiply";
}

// `low` of the arithmetic in 8 bits.
Profile mixed(double low, double wide) {
  Profile profile = profile_of({layer("low", low, 80e9, 4e9), layer("wide", wide, 40e9, 4e9)});
  profile.layers[0].precision = "u8";
  for (LayerProfile& one : profile.layers) one.thread_efficiency = 0.95;
  return profile;
}

TEST(PrecisionOutlier, WideLayersOfANarrowGraphAreFound) {
  expect_found(said("precision-outlier", mixed(0.6, 0.1)),
               {"precision-outlier",
                {"wide"},
                0.1,
                Objective::kLatency,
                {Remedy::kLowerPrecision, Remedy::kQuantise, Remedy::kReplaceOperator}});
  EXPECT_TRUE(speaks("precision-outlier", mixed(0.6, 0.021)));
  EXPECT_FALSE(speaks("precision-outlier", mixed(0.6, 0.019)));
  EXPECT_FALSE(speaks("precision-outlier", mixed(0.15, 0.6))) << "most of it is wide";
  Profile slow = mixed(0.6, 0.1);
  slow.layers[0].work.flops /= 2.5;
  EXPECT_FALSE(speaks("precision-outlier", slow)) << "fewer bits are no faster here";
  Profile light = mixed(0.6, 0.1);
  light.layers[1].type = "Softmax";
  EXPECT_FALSE(speaks("precision-outlier", light)) << "it does not multiply";
}

}  // namespace
}  // namespace tachostat::diagnose

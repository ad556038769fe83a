#include "engine/openvino/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openvino/opsets/opset13.hpp>

#include <openvino/openvino.hpp>
#include <random>

#include "engine/openvino/openvino_test_support.h"

namespace tachostat::engine {
namespace {

namespace op = ov::opset13;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pointwise;

model::Graph two_convolutions() {
  model::Graph graph;
  graph.layers = {{.name = "conv", .type = "Convolution"},
                  {.name = "depthwise", .type = "GroupConvolution"},
                  {.name = "product", .type = "MatMul"}};
  return graph;
}

AppliedLayer executed(const std::string& name, const std::string& kernel) {
  AppliedLayer layer;
  layer.name = name;
  layer.originals = {name, name + "/relu"};
  layer.kernel = kernel;
  return layer;
}

Applied applied(const std::string& conv, const std::string& depthwise) {
  Applied all;
  all.layers = {executed("conv", conv), executed("depthwise", depthwise),
                executed("product", "brgemm_avx512_f32")};
  return all;
}

std::vector<std::string> layers_of(const model::Kernels& kernels) {
  std::vector<std::string> names;
  for (const auto& layer : kernels.layers) names.push_back(layer.layer);
  return names;
}

TEST(KernelChoices, AreForConvolutionsOfTheSameInstructions) {
  const auto choices =
      kernel_choices(two_convolutions(), applied("brgconv_avx512_1x1_I8", "brgconv_avx512_dw_f32"));
  ASSERT_EQ(choices.size(), 2);
  EXPECT_THAT(layers_of(choices[0]), ElementsAre("conv", "depthwise"));
  EXPECT_EQ(choices[0].layers[0].kinds[0], "jit_avx512_1x1");
  EXPECT_EQ(choices[1].layers[0].kinds[0], "jit_avx512");
}

TEST(KernelChoices, LeaveWhatIsTakenAnyway) {
  const auto choices =
      kernel_choices(two_convolutions(), applied("jit_avx2_1x1_f32", "jit_avx2_dw_f32"));
  ASSERT_EQ(choices.size(), 2);
  EXPECT_THAT(layers_of(choices[0]), ElementsAre("depthwise"));
  EXPECT_THAT(layers_of(choices[1]), ElementsAre("conv", "depthwise"));
}

TEST(KernelChoices, LeaveOtherKindsAlone) {
  EXPECT_THAT(kernel_choices(two_convolutions(), applied("brgconv_avx512_amx_I8", "gemm_mlas_f32")),
              IsEmpty());
  EXPECT_THAT(kernel_choices({}, applied("brgconv_avx512_1x1_I8", "brgconv_avx512_dw_f32")),
              IsEmpty())
      << "the graph has no such layers";
}

// A convolution of one by one and a depthwise one, in the real engine.
class KernelsTest : public OpenvinoFolderTest {
 protected:
  model::Graph network() {
    const auto x = parameter("x", {1, 32, 12, 12});
    const ov::CoordinateDiff none{0, 0};
    const ov::CoordinateDiff one{1, 1};
    auto conv = std::make_shared<op::Convolution>(x, weights({64, 32, 1, 1}), ov::Strides{1, 1},
                                                  none, none, ov::Strides{1, 1});
    conv->set_friendly_name("conv");
    auto depthwise = std::make_shared<op::GroupConvolution>(
        conv, weights({64, 1, 1, 3, 3}), ov::Strides{1, 1}, one, one, ov::Strides{1, 1});
    depthwise->set_friendly_name("depthwise");
    depthwise->output(0).set_names({"y"});
    return save({depthwise}, {x});
  }

  std::vector<float> random_values(std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = std::uniform_real_distribution<float>(-1, 1)(random_);
    return values;
  }
  std::shared_ptr<ov::Node> weights(const ov::Shape& shape) {
    return op::Constant::create(ov::element::f32, shape, random_values(ov::shape_size(shape)));
  }

  absl::StatusOr<std::unique_ptr<Session>> load(model::Recipe recipe) {
    return engine().load(
        graph_, {.precision = model::Precision::kF32, .threads = 1, .recipe = std::move(recipe)},
        nullptr);
  }

  std::vector<float> run(Session& session) const {
    const Outputs outputs = infer(session, {tensor("x", input_, {1, 32, 12, 12})});
    EXPECT_TRUE(outputs.ok()) << outputs.status();
    return outputs.ok() ? values_of((*outputs)[0]) : std::vector<float>();
  }

  void SetUp() override {
    OpenvinoFolderTest::SetUp();
    graph_ = network();
    input_ = random_values(32 * 12 * 12);
  }

  std::mt19937 random_{3};
  model::Graph graph_;
  std::vector<float> input_;
};

TEST_F(KernelsTest, OtherKernelsRunAndComputeTheSame) {
  const auto usual = load({});
  ASSERT_TRUE(usual.ok()) << usual.status();
  const std::vector<float> expected = run(**usual);
  const auto choices = engine().kernel_choices(graph_, (*usual)->applied());
  if (choices.empty()) GTEST_SKIP() << "this processor's convolutions have one kind of kernel";
  for (const model::Kernels& choice : choices) {
    const auto recipe = model::Recipe::Create("kernels", {*model::to_step(choice)});
    const auto session = load(*recipe);
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_THAT(run(**session), Pointwise(::testing::FloatNear(1e-4F), expected));
    bool other = false;
    for (const AppliedLayer& layer : (*session)->applied().layers) {
      for (const AppliedLayer& before : (*usual)->applied().layers) {
        other |= layer.name == before.name && layer.kernel != before.kernel;
      }
    }
    EXPECT_TRUE(other) << "no layer runs with another kernel";
  }
}

TEST_F(KernelsTest, AKindThatTheEngineLacksIsAnError) {
  const auto recipe = *model::Recipe::Create(
      "kernels", {*model::to_step(model::Kernels{{{"conv", {"nonsense"}}}})});
  const auto session = load(recipe);
  EXPECT_THAT(std::string(session.status().message()), ::testing::HasSubstr("nonsense"));
}

}  // namespace
}  // namespace tachostat::engine

#include "engine/openvino/kernels.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>
#include <random>

#include "engine/openvino/openvino.h"

namespace tachostat::engine {
namespace {

namespace fs = std::filesystem;
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
class KernelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / fmt::format("kern_{}_{}", test->name(), getpid());
    fs::create_directories(folder_);
    auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 32, 12, 12});
    x->output(0).set_names({"x"});
    const ov::CoordinateDiff none{0, 0};
    const ov::CoordinateDiff one{1, 1};
    auto conv = std::make_shared<op::Convolution>(x, weights({64, 32, 1, 1}), ov::Strides{1, 1},
                                                  none, none, ov::Strides{1, 1});
    conv->set_friendly_name("conv");
    auto depthwise = std::make_shared<op::GroupConvolution>(
        conv, weights({64, 1, 1, 3, 3}), ov::Strides{1, 1}, one, one, ov::Strides{1, 1});
    depthwise->set_friendly_name("depthwise");
    depthwise->output(0).set_names({"y"});
    const std::string xml = (folder_ / "net.xml").string();
    ov::serialize(std::make_shared<ov::Model>(ov::OutputVector{depthwise}, ov::ParameterVector{x}),
                  xml, (folder_ / "net.bin").string());
    graph_ = *model::read(xml);
    engine_ = *make_openvino();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::shared_ptr<ov::Node> weights(const ov::Shape& shape) {
    std::vector<float> values(ov::shape_size(shape));
    for (float& value : values) value = std::uniform_real_distribution<float>(-1, 1)(random_);
    return op::Constant::create(ov::element::f32, shape, values);
  }

  static model::Variant variant(model::Recipe recipe) {
    return {.precision = model::Precision::kF32, .threads = 1, .recipe = std::move(recipe)};
  }

  std::vector<float> run(Session& session) {
    std::vector<float> values(32 * 12 * 12);
    std::mt19937 random(5);
    for (float& value : values) value = std::uniform_real_distribution<float>(-1, 1)(random);
    std::promise<std::vector<float>> done;
    Tensor input{.name = "x",
                 .type = model::DataType::kF32,
                 .shape = {1, 32, 12, 12},
                 .data = std::as_bytes(std::span(values))};
    session.infer({input}, [&done](const absl::StatusOr<std::vector<Tensor>>& outputs) {
      EXPECT_TRUE(outputs.ok()) << outputs.status();
      if (!outputs.ok()) return done.set_value({});
      const auto* const first = reinterpret_cast<const float*>((*outputs)[0].data.data());
      done.set_value({first, first + (*outputs)[0].data.size() / sizeof(float)});
    });
    return done.get_future().get();
  }

  std::mt19937 random_{3};
  fs::path folder_;
  model::Graph graph_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(KernelsTest, OtherKernelsRunAndComputeTheSame) {
  const auto usual = engine_->load(graph_, variant({}), nullptr);
  ASSERT_TRUE(usual.ok()) << usual.status();
  const std::vector<float> expected = run(**usual);
  const auto choices = engine_->kernel_choices(graph_, (*usual)->applied());
  if (choices.empty()) GTEST_SKIP() << "this processor's convolutions have one kind of kernel";
  for (const model::Kernels& choice : choices) {
    const auto recipe = model::Recipe::Create("kernels", {*model::to_step(choice)});
    const auto session = engine_->load(graph_, variant(*recipe), nullptr);
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
  const auto session = engine_->load(graph_, variant(recipe), nullptr);
  EXPECT_THAT(std::string(session.status().message()), ::testing::HasSubstr("nonsense"));
}

}  // namespace
}  // namespace tachostat::engine

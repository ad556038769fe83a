#include "engine/openvino/passes/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <openvino/opsets/opset13.hpp>

#include <openvino/openvino.hpp>

namespace tachostat::engine {
namespace {

namespace op = ov::opset13;
using ::testing::Each;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// x → conv (weights of output channel c are c + 1) → relu → sum with x's own convolution by 1.
std::shared_ptr<ov::Model> network() {
  auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape{1, 4, 8, 8});
  std::vector<float> values;
  for (int c = 0; c < 4; ++c) values.insert(values.end(), 4, static_cast<float>(c + 1));
  auto weights = op::Constant::create(ov::element::f32, {4, 4, 1, 1}, values);
  auto conv =
      std::make_shared<op::Convolution>(x, weights, ov::Strides{1, 1}, ov::CoordinateDiff{0, 0},
                                        ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
  conv->set_friendly_name("conv");
  auto relu = std::make_shared<op::Relu>(conv);
  relu->set_friendly_name("relu");
  auto sum = std::make_shared<op::Add>(relu, x);
  sum->set_friendly_name("sum");
  return std::make_shared<ov::Model>(ov::OutputVector{sum}, ov::ParameterVector{x}, "net");
}

model::Recipe recipe(std::vector<model::Recipe::Step> steps) {
  return *model::Recipe::Create("test", std::move(steps));
}

std::vector<ov::Tensor> run(const std::shared_ptr<ov::Model>& model, float value) {
  static ov::Core core;
  ov::CompiledModel compiled = core.compile_model(
      model, "CPU", ov::hint::inference_precision(ov::element::f32), ov::inference_num_threads(1));
  ov::InferRequest request = compiled.create_infer_request();
  ov::Tensor input = request.get_input_tensor();
  std::fill_n(input.data<float>(), input.get_size(), value);
  request.infer();
  std::vector<ov::Tensor> outputs;
  for (std::size_t i = 0; i < compiled.outputs().size(); ++i) {
    outputs.push_back(request.get_output_tensor(i));
  }
  return outputs;
}

std::vector<float> channel(const ov::Tensor& tensor, std::size_t c) {
  const float* const data = tensor.data<float>() + c * 64;
  return {data, data + 64};
}

std::size_t count(const ov::Model& model, std::string_view type) {
  std::size_t found = 0;
  for (const auto& node : model.get_ordered_ops()) found += node->get_type_name() == type;
  return found;
}

TEST(Passes, ExposedTensorsAreOutputsAfterTheModelsOwn) {
  const auto model = network();
  const model::Expose expose{.edges = {{"relu", 0}, {"sum", 0}}};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(expose)})).ok());
  ASSERT_EQ(model->outputs().size(), 3U);
  EXPECT_EQ(model->output(1).get_node()->get_friendly_name(), "relu:0");
  const auto outputs = run(model, 0.5F);
  EXPECT_THAT(channel(outputs[1], 2), Each(FloatNear(6, 1e-5F)));
  EXPECT_THAT(channel(outputs[0], 2), Each(FloatNear(6.5F, 1e-5F)));
}

TEST(Passes, QuantisedLayersRoundInputsAndEachChannelsWeights) {
  const auto model = network();
  const model::Quantise quantise{
      .activations = {{.edge = {"conv", 0}, .low = {0}, .high = {3}, .levels = 4}},
      .weights = {{.edge = {"conv", 1}, .levels = 255, .headroom = 2}}};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(quantise)})).ok());
  EXPECT_EQ(count(*model, "FakeQuantize"), 2U);
  // 1.4 is rounded to 1 on the way into the convolution only. A range of twice the magnitude has
  // no code for it exactly: 63.5 of 127.
  const auto outputs = run(model, 1.4F);
  for (std::size_t c = 0; c < 4; ++c) {
    const auto want = 4 * static_cast<float>(c + 1) + 1.4F;
    EXPECT_THAT(channel(outputs[0], c), Each(FloatNear(want, want * 0.01F))) << c;
  }
}

TEST(Passes, SimulatedRoundingGivesTheSameNumbers) {
  const auto outputs = [](bool simulated) {
    const auto model = network();
    const model::Quantise quantise{
        .activations = {{.edge = {"conv", 0}, .low = {-1}, .high = {2}, .levels = 16},
                        {.edge = {"sum", 0}, .low = {0, 0, 0, 0}, .high = {9, 9, 9, 9}}},
        .weights = {{.edge = {"conv", 1}, .levels = 255, .headroom = 2}},
        .simulated = simulated};
    EXPECT_TRUE(apply_recipe(*model, recipe({*model::to_step(quantise)})).ok());
    EXPECT_EQ(count(*model, "FakeQuantize"), simulated ? 0U : 3U);
    return run(model, 0.77F);
  };
  const auto integer = outputs(false);
  const auto simulated = outputs(true);
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_THAT(channel(simulated[0], c), Each(FloatNear(channel(integer[0], c)[0], 0.04F))) << c;
  }
}

TEST(Passes, EdgesWithOneSourceAndRangeShareOneQuantiser) {
  const auto model = network();
  const model::Quantise quantise{.activations = {{.edge = {"conv", 0}, .low = {-1}, .high = {1}},
                                                 {.edge = {"sum", 1}, .low = {-1}, .high = {1}},
                                                 {.edge = {"sum", 0}, .low = {-9}, .high = {9}}}};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(quantise)})).ok());
  EXPECT_EQ(count(*model, "FakeQuantize"), 2U);
}

TEST(Passes, ShiftAddsToEachChannelBeforeAnythingElse) {
  const auto model = network();
  const model::Shift shift{.layers = {{.layer = "conv", .by = {-100, 1, 2, 3}}}};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(shift)})).ok());
  const auto outputs = run(model, 1);
  EXPECT_THAT(channel(outputs[0], 0), Each(FloatNear(0 + 1, 1e-5F)));  // below the ReLU
  EXPECT_THAT(channel(outputs[0], 3), Each(FloatNear(16 + 3 + 1, 1e-5F)));
}

TEST(Passes, SmoothingChangesNoOutputButEvensChannelsOut) {
  const auto model = network();
  const model::Smooth smooth{
      .groups = {
          {.activations = {{"conv", 0}}, .weights = {{"conv", 1}}, .largest = {1, 4, 64, 0}}}};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(smooth),
                                           *model::to_step(model::Expose{{{"conv", 0}}})}))
                  .ok());
  const auto outputs = run(model, 1);
  EXPECT_THAT(channel(outputs[0], 2), Each(FloatNear(12 + 1, 1e-4F)));
  // x ÷ (√largest ÷ √4): the largest weight of each input channel is 4. A channel of zeros stays.
  for (const auto& [c, want] : std::map<std::size_t, float>{{0, 2}, {1, 1}, {2, 0.25F}, {3, 1}}) {
    EXPECT_THAT(channel(outputs[1], c), Each(FloatNear(want, 1e-5F))) << c;
  }
}

TEST(Passes, ATwinShowsWhatRoundingDoesToOneLayer) {
  const auto model = network();
  // Weights 1 to 4 of four inputs each; 1.4 is rounded to 1 in the copy only.
  const model::Quantise quantise{
      .activations = {{.edge = {"conv/twin", 0}, .low = {0}, .high = {3}, .levels = 4}},
      .simulated = true};
  ASSERT_TRUE(apply_recipe(*model, recipe({*model::to_step(model::Twin{{"conv"}}),
                                           *model::to_step(quantise)}))
                  .ok());
  const auto outputs = run(model, 1.4F);
  EXPECT_THAT(channel(outputs[0], 1), Each(FloatNear(8 * 1.4F + 1.4F, 1e-4F)));
  ASSERT_EQ(outputs[1].get_size(), 4U);
  EXPECT_EQ(model->output(1).get_node()->get_friendly_name(), "conv/twin");
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_NEAR(outputs[1].data<float>()[c], -0.4F * 4 * static_cast<float>(c + 1), 1e-4F) << c;
  }
}

TEST(Passes, SayWhatDoesNotFit) {
  const auto message = [](const model::Recipe::Step& step) {
    const absl::Status status = apply_recipe(*network(), recipe({step}));
    return std::string(status.message());
  };
  EXPECT_THAT(message({"polish", "{}"}),
              HasSubstr("pass 'polish': openvino's engine has no such pass"));
  EXPECT_THAT(message(*model::to_step(model::Expose{{{"nowhere", 0}}})),
              HasSubstr("no layer 'nowhere'"));
  EXPECT_THAT(message(*model::to_step(model::Expose{{{"relu", 7}}})), HasSubstr("has 1 inputs"));
  EXPECT_THAT(message(*model::to_step(model::Quantise{.weights = {{.edge = {"sum", 0}}}})),
              HasSubstr("no constant"));
  EXPECT_THAT(message(*model::to_step(model::Shift{{{"conv", {1, 2}}}})),
              HasSubstr("found 2 numbers"));
  EXPECT_THAT(message(*model::to_step(model::Quantise{
                  .activations = {{.edge = {"conv", 0}, .low = {0, 0, 0}, .high = {1, 1, 1}}}})),
              HasSubstr("has not 3 channels"));
  EXPECT_THAT(
      message(*model::to_step(model::Smooth{
          .groups = {{.activations = {{"conv", 0}}, .weights = {{"conv", 1}}, .largest = {1}}}})),
      HasSubstr("has 4 input channels, found 1 numbers"));
}

}  // namespace
}  // namespace tachostat::engine

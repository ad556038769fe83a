#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <openvino/opsets/opset13.hpp>

#include "engine/openvino/passes/channels.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/passes_test_support.h"

#include <openvino/openvino.hpp>

namespace tachostat::engine {
namespace {

namespace op = ov::opset13;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pointwise;
using ::testing::UnorderedElementsAre;

using Input = std::shared_ptr<op::Parameter>;

// Numbers that no two channels share, but that channel `copy` has from channel 0 along `axis`.
Node numbers(const ov::Shape& shape, int copy = -1, std::size_t axis = 0) {
  std::vector<float> values(ov::shape_size(shape));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::sin(static_cast<float>(i * i % 97)) / 4;
  }
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  for (std::size_t i = 0; copy >= 0 && i < values.size(); ++i) {
    const std::size_t channel = i / inner % shape[axis];
    if (channel == static_cast<std::size_t>(copy)) values[i] = values[i - channel * inner];
  }
  return op::Constant::create(ov::element::f32, shape, values);
}

Node convolution(const char* name, const Node& x, const Node& weights, std::ptrdiff_t pad = 0) {
  return named(name, std::make_shared<op::Convolution>(
                         x, weights, ov::Strides{1, 1}, ov::CoordinateDiff{pad, pad},
                         ov::CoordinateDiff{pad, pad}, ov::Strides{1, 1}));
}

Input pictures() {
  return std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape{1, 3, 6, 6});
}

std::vector<float> run(const std::shared_ptr<ov::Model>& model) {
  std::vector<float> waves;
  for (int i = 0; i < 3 * 6 * 6; ++i) waves.push_back(std::cos(static_cast<float>(i)) * 2);
  return engine::run(model, waves);
}

// conv1 (16 channels, of which number 5 is number 0 once more) → bias → depthwise → gate by
// squeeze and excitation → conv2.
std::shared_ptr<ov::Model> gated() {
  const auto x = pictures();
  Node y = convolution("conv1", x, numbers({16, 3, 3, 3}, 5), 1);
  y = named("bias", std::make_shared<op::Add>(y, numbers({1, 16, 1, 1}, 5, 1)));
  y = named("relu", std::make_shared<op::Relu>(y));
  y = named("depthwise",
            std::make_shared<op::GroupConvolution>(y, numbers({16, 1, 1, 3, 3}, 5),
                                                   ov::Strides{1, 1}, ov::CoordinateDiff{1, 1},
                                                   ov::CoordinateDiff{1, 1}, ov::Strides{1, 1}));
  const auto axes = op::Constant::create(ov::element::i64, {2}, {2, 3});
  Node gate = named("pool", std::make_shared<op::ReduceMean>(y, axes, true));
  gate = convolution("squeeze", gate, numbers({4, 16, 1, 1}));
  gate = convolution("excite", gate, numbers({16, 4, 1, 1}, 5));
  gate = named("sigmoid", std::make_shared<op::Sigmoid>(gate));
  y = named("gated", std::make_shared<op::Multiply>(y, gate));
  return model_of(convolution("conv2", y, numbers({8, 16, 1, 1})), x);
}

model::Prune::Reader reader(const char* layer, int by, float factor = 1, float offset = 0) {
  return {{layer, 0}, {by}, {factor}, {offset}};
}

absl::Status apply(const std::shared_ptr<ov::Model>& model,
                   std::vector<model::Prune::Group> groups) {
  const model::Prune prune{.groups = std::move(groups)};
  return apply_recipe(*model, *model::Recipe::Create("test", {*model::to_step(prune)}));
}

ov::Shape weights_of_layer(const ov::Model& model, std::string_view name) {
  for (const Node& node : model.get_ordered_ops()) {
    if (node->get_friendly_name() == name) return node->get_input_shape(1);
  }
  return {};
}

TEST(Prune, FollowsChannelsThroughWhateverHandsThemOn) {
  const auto groups = find_channel_groups(*gated());
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].name, "conv1");
  EXPECT_EQ(groups[0].channels, 16);
  EXPECT_THAT(groups[0].layers,
              UnorderedElementsAre("conv1", "depthwise", "squeeze", "excite", "conv2"));
  ASSERT_EQ(groups[0].readers.size(), 2U);
  for (const auto& one : groups[0].readers) EXPECT_EQ(one.weight.size(), 16U);
}

TEST(Prune, AChannelThatIsThereTwiceGoesWithoutATrace) {
  const std::vector<float> expected = run(gated());
  const auto model = gated();
  ASSERT_TRUE(apply(model, {{"conv1", {5}, {reader("squeeze", 0), reader("conv2", 0)}}}).ok());
  EXPECT_EQ(weights_of_layer(*model, "conv1"), (ov::Shape{15, 3, 3, 3}));
  EXPECT_EQ(weights_of_layer(*model, "depthwise"), (ov::Shape{15, 1, 1, 3, 3}));
  EXPECT_EQ(weights_of_layer(*model, "conv2"), (ov::Shape{8, 15, 1, 1}));
  EXPECT_THAT(run(model), Pointwise(Near(1e-5F), expected));
}

// A matrix product whose channel 3 is always 7, and one that reads it behind a flattening.
TEST(Prune, AChannelThatNeverChangesBecomesBias) {
  const auto make = [] {
    const auto x = pictures();
    std::vector<float> slopes(16, 1.0F);
    slopes[3] = 0;
    std::vector<float> offsets(16, 0.0F);
    offsets[3] = 7;
    Node y = convolution("conv1", x, numbers({16, 3, 6, 6}));
    y = std::make_shared<op::Multiply>(y,
                                       op::Constant::create(ov::element::f32, {16, 1, 1}, slopes));
    y = std::make_shared<op::Add>(y, op::Constant::create(ov::element::f32, {16, 1, 1}, offsets));
    const auto shape = op::Constant::create(ov::element::i64, {2}, {1, 16});
    y = named("flat", std::make_shared<op::Reshape>(y, shape, false));
    return model_of(
        named("product", std::make_shared<op::MatMul>(y, numbers({5, 16}), false, true)), x);
  };
  const std::vector<float> expected = run(make());
  const auto model = make();
  ASSERT_TRUE(apply(model, {{"conv1", {3}, {reader("product", 1, 0, 7)}}}).ok());
  EXPECT_EQ(weights_of_layer(*model, "product"), (ov::Shape{5, 15}));
  EXPECT_THAT(run(model), Pointwise(Near(1e-5F), expected));
}

// What a residual sum joins goes together, and so do the two that it joins next.
TEST(Prune, ChannelsOfASumAreOneGroup) {
  const auto x = pictures();
  const Node first = convolution("first", x, numbers({16, 3, 1, 1}));
  const Node inner = convolution("inner", first, numbers({32, 16, 1, 1}));
  const Node second = convolution("second", inner, numbers({16, 32, 1, 1}));
  const Node sum = named("sum", std::make_shared<op::Add>(first, second));
  const auto model = model_of(convolution("last", sum, numbers({4, 16, 1, 1})), x);
  const auto groups = find_channel_groups(*model);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].name, "first");
  EXPECT_THAT(groups[0].layers, UnorderedElementsAre("first", "second", "inner", "last"));
  EXPECT_EQ(groups[1].name, "inner");
  EXPECT_THAT(groups[1].layers, ElementsAre("inner", "second"));
  // Both at once.
  ASSERT_TRUE(apply(model, {{"first", {2}, {reader("inner", 3), reader("last", 3)}},
                            {"inner", {0}, {reader("second", 1)}}})
                  .ok());
  EXPECT_EQ(weights_of_layer(*model, "inner"), (ov::Shape{31, 15, 1, 1}));
  EXPECT_EQ(weights_of_layer(*model, "second"), (ov::Shape{15, 31, 1, 1}));
}

TEST(Prune, LeavesChannelsThatSomethingElseNeeds) {
  const auto groups = [](const std::function<Node(const Node&)>& behind) {
    const auto x = pictures();
    const Node y = behind(convolution("conv1", x, numbers({16, 3, 1, 1})));
    return find_channel_groups(
        *model_of(convolution("conv2", y, numbers({4, y->get_shape()[1], 1, 1})), x));
  };
  const auto axis = op::Constant::create(ov::element::i64, {1}, {1});
  EXPECT_EQ(groups([](const Node& y) { return std::make_shared<op::Relu>(y); }).size(), 1U);
  EXPECT_THAT(groups([](const Node& y) {
                return std::make_shared<op::Concat>(ov::OutputVector{y, y}, 1);
              }),
              IsEmpty());
  EXPECT_THAT(groups([](const Node& y) { return std::make_shared<op::Softmax>(y, 1); }), IsEmpty());
  EXPECT_THAT(groups([&axis](const Node& y) {
                return std::make_shared<op::MVN>(y, axis, true, 1e-5F,
                                                 ov::op::MVNEpsMode::INSIDE_SQRT);
              }),
              IsEmpty());
  // An output of the model.
  const auto x = pictures();
  EXPECT_THAT(find_channel_groups(*model_of(convolution("last", x, numbers({16, 3, 1, 1})), x)),
              IsEmpty());
}

TEST(Prune, SaysWhatIsWrong) {
  const auto status = [](const char* layer, int dropped,
                         std::vector<model::Prune::Reader> readers) {
    return apply(gated(), {{layer, {dropped}, std::move(readers)}}).ToString();
  };
  const auto both = [](int by) {
    return std::vector<model::Prune::Reader>{reader("squeeze", by), reader("conv2", by)};
  };
  EXPECT_THAT(status("conv1", 5, {reader("conv2", 0)}),
              HasSubstr("input 0 of layer 'squeeze' reads the channels of 'conv1'"));
  EXPECT_THAT(status("conv1", 5, both(5)), HasSubstr("does not stay"));
  EXPECT_THAT(status("conv1", 16, both(0)),
              HasSubstr("layer 'conv1' has 16 channels, of which number 16 cannot be dropped"));
  EXPECT_THAT(status("conv2", 1, {}), HasSubstr("no channels of layer 'conv2'"));
  EXPECT_THAT(status("nothing", 1, {}), HasSubstr("no layer 'nothing'"));
}

}  // namespace
}  // namespace tachostat::engine

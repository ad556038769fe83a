#include "engine/openvino/passes/rewrites.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <openvino/opsets/opset13.hpp>

#include "engine/openvino/passes/passes_test_support.h"

#include <openvino/openvino.hpp>

namespace tachostat::engine {
namespace {

namespace op = ov::opset13;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pointwise;

Node number(float value, const ov::Shape& shape = {}) {
  return op::Constant::create(ov::element::f32, shape, {value});
}

std::shared_ptr<op::Parameter> floats() {
  return std::make_shared<op::Parameter>(ov::element::f32, ov::PartialShape{1, 4, 8, 8});
}

std::vector<float> spread() {
  std::vector<float> values;
  for (int i = 0; i < 256; ++i) values.push_back(static_cast<float>(i - 128) / 13);
  return values;
}

std::vector<std::string> types_of(const ov::Model& model) {
  std::vector<std::string> types;
  for (const Node& node : model.get_ordered_ops()) {
    const std::string type = node->get_type_name();
    if (type != "Constant" && type != "Parameter" && type != "Result") types.push_back(type);
  }
  return types;
}

// x · ½ · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) in the words of JAX.
Node gelu(const Node& x, float cubic) {
  const Node cube = std::make_shared<op::Multiply>(
      x, std::make_shared<op::Multiply>(
             x, std::make_shared<op::Multiply>(number(cubic, {1, 1, 1}), x)));
  const Node inner =
      std::make_shared<op::Multiply>(number(0.7978845608F), std::make_shared<op::Add>(x, cube));
  const Node gate = std::make_shared<op::Multiply>(
      number(0.5F), std::make_shared<op::Add>(number(1), std::make_shared<op::Tanh>(inner)));
  return named("gelu", std::make_shared<op::Multiply>(x, gate));
}

TEST(Rewrites, AFunctionThatIsSpelledOutBecomesOneLayer) {
  const auto make = [] {
    const auto x = floats();
    const Node before = named("before", std::make_shared<op::Sin>(x));
    return model_of(named("after", std::make_shared<op::Cos>(gelu(before, 0.044715F))), x);
  };
  const std::vector<float> expected = run(make(), spread());
  const auto model = make();
  const std::vector<model::Rewrite> found = find_rewrites(*model);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pass, "activation");
  EXPECT_THAT(found[0].layers, ElementsAre("gelu"));
  EXPECT_THAT(types_of(*model), ElementsAre("Sin", "Gelu", "Cos"));
  EXPECT_THAT(run(model, spread()), Pointwise(Near(1e-5F), expected));
}

TEST(Rewrites, KnowsTheFunctionsOfCommonNetworks) {
  const auto found = [](const std::function<Node(const Node&)>& make) -> std::string {
    const auto x = floats();
    const auto model = model_of(make(std::make_shared<op::Sin>(x)), x);
    const std::vector<float> expected = run(model, spread());
    if (find_rewrites(*model).empty()) return "nothing";
    EXPECT_THAT(run(model, spread()), Pointwise(Near(1e-5F), expected));
    return types_of(*model).back();
  };
  const auto sigmoid = [](const Node& x) { return std::make_shared<op::Sigmoid>(x); };
  const auto times = [](const Node& a, const Node& b) {
    return std::make_shared<op::Multiply>(a, b);
  };
  const auto plus = [](const Node& a, const Node& b) { return std::make_shared<op::Add>(a, b); };
  const auto clamp = [](const Node& x, double low, double high) {
    return std::make_shared<op::Clamp>(x, low, high);
  };
  EXPECT_EQ(found([&](const Node& x) { return times(x, sigmoid(x)); }), "Swish");
  EXPECT_EQ(found([&](const Node& x) { return times(x, sigmoid(times(x, number(1.702F)))); }),
            "Swish");
  EXPECT_EQ(found([&](const Node& x) {
              return times(times(x, clamp(plus(x, number(3)), 0, 6)), number(1 / 6.0F));
            }),
            "HSwish");
  EXPECT_EQ(found([&](const Node& x) {
              return times(clamp(plus(number(3), x), 0, 6), number(1 / 6.0F));
            }),
            "HSigmoid");
  EXPECT_EQ(found([&](const Node& x) {
              return times(x, std::make_shared<op::Tanh>(std::make_shared<op::SoftPlus>(x)));
            }),
            "Mish");
  EXPECT_EQ(found([&](const Node& x) {
              const Node erf =
                  std::make_shared<op::Erf>(std::make_shared<op::Divide>(x, number(1.41421356F)));
              return times(times(x, plus(erf, number(1))), number(0.5F));
            }),
            "Gelu");
  EXPECT_EQ(found([&](const Node& x) {
              return std::make_shared<op::Maximum>(x, times(x, number(0.1F)));
            }),
            "PRelu");
  EXPECT_EQ(found([&](const Node& x) {
              return std::make_shared<op::Minimum>(std::make_shared<op::Maximum>(x, number(-1)),
                                                   number(2));
            }),
            "Clamp");
}

TEST(Rewrites, LeavesWhatOnlyLooksLikeOne) {
  const auto left = [](const std::function<Node(const Node&)>& make) {
    const auto x = floats();
    return find_rewrites(*model_of(make(std::make_shared<op::Sin>(x)), x)).empty();
  };
  // Another number in it.
  EXPECT_TRUE(left([](const Node& x) { return gelu(x, 0.05F); }));
  // Another tensor in it.
  EXPECT_TRUE(left([](const Node& x) {
    return std::make_shared<op::Multiply>(
        x, std::make_shared<op::Sigmoid>(std::make_shared<op::Cos>(x)));
  }));
  // A number for each channel.
  EXPECT_TRUE(left([](const Node& x) {
    const Node scale = op::Constant::create(ov::element::f32, {1, 4, 1, 1}, {1, 2, 1, 1});
    return std::make_shared<op::Multiply>(
        x, std::make_shared<op::Sigmoid>(std::make_shared<op::Multiply>(x, scale)));
  }));
  // Wider than what enters.
  EXPECT_TRUE(left([](const Node& x) {
    const Node one = op::Constant::create(ov::element::f32, {3, 1, 1, 1, 1}, {1, 1, 1});
    return std::make_shared<op::Multiply>(std::make_shared<op::Multiply>(x, one),
                                          std::make_shared<op::Sigmoid>(x));
  }));
  // Read in its middle by another.
  EXPECT_TRUE(left([](const Node& x) {
    const Node gate = std::make_shared<op::Sigmoid>(x);
    return std::make_shared<op::Concat>(
        ov::OutputVector{std::make_shared<op::Multiply>(x, gate), gate}, 1);
  }));
}

std::vector<float> ramp(std::size_t size) {
  std::vector<float> values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(std::sin(static_cast<float>(i)));
  return values;
}

// Bytes → one-hot by comparison → matrix → bias → function.
std::shared_ptr<ov::Model> encoder(bool by_layer) {
  const auto x = std::make_shared<op::Parameter>(ov::element::i32, ov::PartialShape{2, 16});
  Node hot;
  if (by_layer) {
    hot = std::make_shared<op::OneHot>(x, op::Constant::create(ov::element::i64, {}, {5}),
                                       number(1), number(0), -1);
  } else {
    const Node column = std::make_shared<op::Reshape>(
        x, op::Constant::create(ov::element::i64, {3}, {2, 16, 1}), false);
    const Node wide = std::make_shared<op::Broadcast>(
        column, op::Constant::create(ov::element::i64, {3}, {2, 16, 5}));
    const Node equal = std::make_shared<op::Equal>(
        wide, op::Constant::create(ov::element::i32, {1, 1, 5}, {0, 1, 2, 3, 4}));
    hot = std::make_shared<op::Convert>(equal, ov::element::f32);
  }
  const Node product = named(
      "product",
      std::make_shared<op::MatMul>(hot, op::Constant::create(ov::element::f32, {5, 3}, ramp(15))));
  const Node bias = std::make_shared<op::Add>(
      product, op::Constant::create(ov::element::f32, {1, 1, 3}, {1, 2, 3}));
  return model_of(named("sum", std::make_shared<op::ReduceSum>(
                                   gelu(bias, 0.044715F),
                                   op::Constant::create(ov::element::i64, {1}, {2}), false)),
                  x);
}

TEST(Rewrites, TheProductOfAOneHotEncodingBecomesATable) {
  const std::vector<std::int32_t> numbers = {0, 4, 2, 5, -1, 3, 1, 700};
  for (const bool by_layer : {true, false}) {
    const std::vector<float> expected = run(encoder(by_layer), numbers);
    const auto model = encoder(by_layer);
    const std::vector<model::Rewrite> found = find_rewrites(*model);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[1].pass, "table");
    EXPECT_THAT(found[1].layers, ElementsAre("product"));
    const std::vector<std::string> types = types_of(*model);
    EXPECT_EQ(std::count(types.begin(), types.end(), "MatMul"), 0);
    EXPECT_EQ(std::count(types.begin(), types.end(), "Gather"), 1);
    EXPECT_THAT(run(model, numbers), Pointwise(Near(1e-5F), expected));
  }
}

TEST(Rewrites, ATableAloneTakesTheSpelledFunctionAlong) {
  const std::vector<std::int32_t> numbers = {0, 4, 2, 5, -1, 3, 1, 700};
  const std::vector<float> expected = run(encoder(true), numbers);
  const auto model = encoder(true);
  const auto recipe =
      model::Recipe::Create("t", {*model::to_step(model::Rewrite{"table", {"product"}})});
  ASSERT_TRUE(apply_recipe(*model, *recipe).ok());
  EXPECT_THAT(run(model, numbers), Pointwise(Near(1e-5F), expected));
}

TEST(Rewrites, ATransposedConvolutionOfSquaresBecomesAConvolutionByOne) {
  const auto make = [](std::size_t stride) {
    const auto x = floats();
    const Node before = std::make_shared<op::Sin>(x);
    const Node up =
        named("up", std::make_shared<op::ConvolutionBackpropData>(
                        before, op::Constant::create(ov::element::f32, {4, 3, 2, 2}, ramp(48)),
                        ov::Strides{stride, stride}, ov::CoordinateDiff{0, 0},
                        ov::CoordinateDiff{0, 0}, ov::Strides{1, 1}));
    const Node bias = std::make_shared<op::Add>(
        up, op::Constant::create(ov::element::f32, {1, 3, 1, 1}, {1, 2, 3}));
    const Node relu = std::make_shared<op::Relu>(bias);
    return model_of(
        named("mean", std::make_shared<op::ReduceMean>(
                          relu, op::Constant::create(ov::element::i64, {1}, {3}), true)),
        x);
  };
  const std::vector<float> expected = run(make(2), spread());
  const auto model = make(2);
  const std::vector<model::Rewrite> found = find_rewrites(*model);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].pass, "upsample");
  EXPECT_THAT(types_of(*model),
              ElementsAre("Sin", "Convolution", "Add", "Relu", "DepthToSpace", "ReduceMean"));
  EXPECT_THAT(run(model, spread()), Pointwise(Near(1e-5F), expected));
  EXPECT_THAT(find_rewrites(*make(1)), IsEmpty());
}

Node transposed(const Node& x, const std::vector<std::int64_t>& order) {
  return named("transpose", std::make_shared<op::Transpose>(
                                x, op::Constant::create(ov::element::i64, {order.size()}, order)));
}

TEST(Rewrites, ATransposeOfAxesOfOneIsAReshape) {
  const auto types = [](const ov::Shape& shape, const std::vector<std::int64_t>& order) {
    const auto make = [&] {
      const auto x = std::make_shared<op::Parameter>(ov::element::f32, shape);
      return model_of(std::make_shared<op::Cos>(transposed(std::make_shared<op::Sin>(x), order)),
                      x);
    };
    const std::vector<float> expected = run(make(), spread());
    const auto model = make();
    find_rewrites(*model);
    EXPECT_EQ(model->output(0).get_shape(), make()->output(0).get_shape());
    EXPECT_THAT(run(model, spread()), Pointwise(Near(1e-6F), expected));
    const std::vector<std::string> all = types_of(*model);
    return std::vector<std::string>(all.begin() + 1, all.end() - 1);
  };
  EXPECT_THAT(types({1, 4, 1, 8}, {0, 2, 1, 3}), ElementsAre("Reshape"));
  EXPECT_THAT(types({1, 6, 4, 1}, {0, 2, 1, 3}), ElementsAre("Reshape", "Transpose"));
  EXPECT_THAT(types({1, 4, 6, 1}, {0, 3, 2, 1}), ElementsAre("Transpose", "Reshape"));
  EXPECT_THAT(types({1, 4, 6, 2}, {0, 2, 1, 3}), ElementsAre("Transpose"));
  EXPECT_THAT(types({1, 4, 6, 1}, {0, 2, 3, 1}), ElementsAre("Transpose"));
}

TEST(Rewrites, AxesAreDroppedAfterWhatAConvolutionFuses) {
  for (const bool keep : {true, false}) {
    const auto make = [keep] {
      const auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 4, 8, 1});
      const Node conv = std::make_shared<op::Convolution>(
          x, op::Constant::create(ov::element::f32, {3, 4, 3, 1}, ramp(36)), ov::Strides{1, 1},
          ov::CoordinateDiff{0, 0}, ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
      const Node narrow = named(
          "narrow",
          std::make_shared<op::Squeeze>(conv, op::Constant::create(ov::element::i64, {1}, {3})));
      const Node bias = std::make_shared<op::Add>(
          op::Constant::create(ov::element::f32, {1, 3, 1}, {1, 2, 3}), narrow);
      const Node most =
          std::make_shared<op::ReduceMax>(std::make_shared<op::Relu>(bias),
                                          op::Constant::create(ov::element::i64, {1}, {-1}), keep);
      return model_of(std::make_shared<op::Softmax>(most, 1), x);
    };
    const std::vector<float> expected = run(make(), spread());
    const auto model = make();
    const std::vector<model::Rewrite> found = find_rewrites(*model);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].pass, "squeeze");
    EXPECT_THAT(found[0].layers, ElementsAre("narrow"));
    EXPECT_THAT(types_of(*model),
                ElementsAre("Convolution", "Add", "Relu", "ReduceMax", "Squeeze", "Softmax"));
    EXPECT_EQ(model->output(0).get_shape(), make()->output(0).get_shape());
    EXPECT_THAT(run(model, spread()), Pointwise(Near(1e-5F), expected));
  }
}

TEST(Rewrites, AnotherNetworkThanTheRecipesIsAnError) {
  const auto x = floats();
  const auto model = model_of(named("sin", std::make_shared<op::Sin>(x)), x);
  const auto recipe =
      model::Recipe::Create("t", {*model::to_step(model::Rewrite{"activation", {"sin"}})});
  const absl::Status status = apply_recipe(*model, *recipe);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("nothing to rewrite at layer 'sin' (Sin)"));
}

TEST(Rewrites, NewNamesDependOnTheNetworkAlone) {
  const auto names = [] {
    const auto model = encoder(false);
    find_rewrites(*model);
    Network network(*model);
    std::vector<std::string> all;
    for (const Node& node : model->get_ordered_ops()) {
      if (node->get_input_size() > 0) all.push_back(node->get_friendly_name());
    }
    return all;
  };
  EXPECT_THAT(names(), ::testing::Contains("product/rows"));
}

}  // namespace
}  // namespace tachostat::engine

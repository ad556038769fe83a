#include "model/openvino/architectures.h"

#include <array>
#include <openvino/opsets/opset8.hpp>
#include <string>

namespace tachostat::model {
namespace {

using Out = ov::Output<ov::Node>;
namespace op = ov::opset8;

template <class Operator, class... Args>
Out make(Args&&... args) {
  return std::make_shared<Operator>(std::forward<Args>(args)...)->output(0);
}

Out numbers(const std::vector<std::int64_t>& values) {
  return op::Constant::create(ov::element::i64, {values.size()}, values)->output(0);
}

Out scalar(float value) { return op::Constant::create(ov::element::f32, {}, {value})->output(0); }

Out weights(const std::vector<std::int64_t>& shape) {
  return make<op::Broadcast>(scalar(0.01F), numbers(shape));
}

std::int64_t channels_of(const Out& x) { return x.get_partial_shape()[1].get_length(); }

struct Convolution {
  std::int64_t channels;
  std::size_t kernel = 1;
  std::size_t stride = 1;
  bool depthwise = false;
};

// Convolution and batch normalisation.
Out convolution(const Out& x, const Convolution& made) {
  const std::int64_t in = channels_of(x);
  const auto k = static_cast<std::int64_t>(made.kernel);
  const ov::Strides strides{made.stride, made.stride};
  const auto half = static_cast<std::ptrdiff_t>(made.kernel / 2);
  const ov::CoordinateDiff pads{half, half};
  const Out y = made.depthwise ? make<op::GroupConvolution>(x, weights({in, 1, 1, k, k}), strides,
                                                            pads, pads, ov::Strides{1, 1})
                               : make<op::Convolution>(x, weights({made.channels, in, k, k}),
                                                       strides, pads, pads, ov::Strides{1, 1});
  const Out one = weights({made.channels});
  return make<op::BatchNormInference>(y, one, one, one, one, 1e-5);
}

Out relu(const Out& x) { return make<op::Relu>(x); }

Out linear(const Out& x, std::int64_t in, std::int64_t out) {
  return make<op::Add>(make<op::MatMul>(x, weights({in, out}), false, false), weights({out}));
}

Out classifier(const Out& x) {
  const std::int64_t channels = channels_of(x);
  const Out pooled = make<op::ReduceMean>(x, numbers({2, 3}), false);
  return linear(pooled, channels, 1000);
}

std::shared_ptr<ov::Model> network(const Out& out, const std::shared_ptr<op::Parameter>& in,
                                   const std::string& name) {
  return std::make_shared<ov::Model>(ov::OutputVector{out}, ov::ParameterVector{in}, name);
}

std::shared_ptr<op::Parameter> image() {
  const auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, 3, 224, 224});
  x->set_friendly_name("x");
  return x;
}

Out bottleneck(const Out& x, std::int64_t width, std::size_t stride) {
  Out y = relu(convolution(x, {.channels = width}));
  y = relu(convolution(y, {.channels = width, .kernel = 3, .stride = stride}));
  y = convolution(y, {.channels = 4 * width});
  const bool same = channels_of(x) == 4 * width && stride == 1;
  return relu(
      make<op::Add>(y, same ? x : convolution(x, {.channels = 4 * width, .stride = stride})));
}

Out inverted_residual(const Out& x, std::int64_t expansion, std::int64_t out, std::size_t stride) {
  const auto relu6 = [](const Out& value) { return make<op::Clamp>(value, 0.0, 6.0); };
  const std::int64_t in = channels_of(x);
  Out y = expansion == 1 ? x : relu6(convolution(x, {.channels = expansion * in}));
  y = relu6(convolution(
      y, {.channels = expansion * in, .kernel = 3, .stride = stride, .depthwise = true}));
  y = convolution(y, {.channels = out});
  return in == out && stride == 1 ? make<op::Add>(x, y) : y;
}

constexpr std::int64_t kHidden = 768;
constexpr std::int64_t kHeads = 12;

Out layer_norm(const Out& x) {
  const Out normal = make<op::MVN>(x, numbers({2}), true, 1e-12F, ov::op::MVNEpsMode::INSIDE_SQRT);
  return make<op::Add>(make<op::Multiply>(normal, weights({kHidden})), weights({kHidden}));
}

Out encoder(const Out& x, std::int64_t tokens) {
  const auto heads = [&](const Out& value, const std::vector<std::int64_t>& order) {
    const Out split = make<op::Reshape>(linear(value, kHidden, kHidden),
                                        numbers({1, tokens, kHeads, kHidden / kHeads}), false);
    return make<op::Transpose>(split, numbers(order));
  };
  const Out scores = make<op::Divide>(
      make<op::MatMul>(heads(x, {0, 2, 1, 3}), heads(x, {0, 2, 3, 1}), false, false), scalar(8));
  const Out mixed =
      make<op::MatMul>(make<op::Softmax>(scores, 3), heads(x, {0, 2, 1, 3}), false, false);
  const Out joined = make<op::Reshape>(make<op::Transpose>(mixed, numbers({0, 2, 1, 3})),
                                       numbers({1, tokens, kHidden}), false);
  const Out attended = layer_norm(make<op::Add>(linear(joined, kHidden, kHidden), x));
  const Out wide = make<op::Gelu>(linear(attended, kHidden, 4 * kHidden));
  return layer_norm(make<op::Add>(linear(wide, 4 * kHidden, kHidden), attended));
}

}  // namespace

std::shared_ptr<ov::Model> resnet50() {
  const auto in = image();
  Out x = relu(convolution(in, {.channels = 64, .kernel = 7, .stride = 2}));
  x = make<op::MaxPool>(x, ov::Strides{2, 2}, ov::Strides{1, 1}, ov::Shape{1, 1}, ov::Shape{1, 1},
                        ov::Shape{3, 3});
  constexpr std::array kBlocks = {3, 4, 6, 3};
  for (std::size_t stage = 0; stage < kBlocks.size(); ++stage) {
    for (int block = 0; block < kBlocks[stage]; ++block) {
      x = bottleneck(x, std::int64_t{64} << stage, block == 0 && stage > 0 ? 2 : 1);
    }
  }
  return network(classifier(x), in, "resnet50");
}

std::shared_ptr<ov::Model> mobilenet_v2() {
  struct Stage {
    std::int64_t expansion, channels;
    int blocks;
    std::size_t stride;
  };
  constexpr std::array kStages = {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2},
                                  Stage{6, 64, 4, 2}, Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2},
                                  Stage{6, 320, 1, 1}};
  const auto in = image();
  Out x = make<op::Clamp>(convolution(in, {.channels = 32, .kernel = 3, .stride = 2}), 0.0, 6.0);
  for (const Stage& stage : kStages) {
    for (int block = 0; block < stage.blocks; ++block) {
      x = inverted_residual(x, stage.expansion, stage.channels, block == 0 ? stage.stride : 1);
    }
  }
  x = make<op::Clamp>(convolution(x, {.channels = 1280}), 0.0, 6.0);
  return network(classifier(x), in, "mobilenet_v2");
}

std::shared_ptr<ov::Model> bert_base(std::size_t tokens, int layers) {
  const auto in = std::make_shared<op::Parameter>(ov::element::i64, ov::Shape{1, tokens});
  in->set_friendly_name("tokens");
  const auto length = static_cast<std::int64_t>(tokens);
  Out x = make<op::Gather>(weights({30522, kHidden}), in, numbers({0}));
  x = layer_norm(make<op::Add>(x, weights({length, kHidden})));
  for (int layer = 0; layer < layers; ++layer) x = encoder(x, length);
  const Out first =
      make<op::Gather>(x, op::Constant::create(ov::element::i64, {}, {0}), numbers({1}));
  return network(make<op::Tanh>(linear(first, kHidden, kHidden)), in, "bert_base");
}

}  // namespace tachostat::model

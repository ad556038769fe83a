#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/depth_to_space.hpp>

#include "engine/openvino/passes/element_wise.h"
#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using NodePtr = std::shared_ptr<ov::Node>;
using ov::op::v0::Constant;

bool all(const auto& values, std::int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [wanted](const auto value) {
    return static_cast<std::int64_t>(value) == wanted;
  });
}

// Each input pixel fills a square of the output that no other pixel reaches.
bool fills_squares(const ov::op::v1::ConvolutionBackpropData& layer, const ov::Shape& weights) {
  using ov::op::PadType;
  const bool unpadded =
      layer.get_auto_pad() == PadType::EXPLICIT || layer.get_auto_pad() == PadType::VALID;
  return weights.size() == 4 && layer.get_input_size() == 2 && unpadded &&
         weights[2] == weights[3] && weights[2] > 1 &&
         all(layer.get_strides(), static_cast<std::int64_t>(weights[2])) &&
         all(layer.get_dilations(), 1) && all(layer.get_pads_begin(), 0) &&
         all(layer.get_pads_end(), 0) && all(layer.get_output_padding(), 0);
}

// [in, out, side, side] → [out · side · side, in, 1, 1], in the order that DepthToSpace takes
// apart.
NodePtr flattened(const Constant& weights) {
  const ov::Shape& shape = weights.get_shape();
  const std::vector<float> values = weights.cast_vector<float>();
  const std::size_t in = shape[0];
  const std::size_t rest = shape[1] * shape[2] * shape[3];
  std::vector<float> turned(values.size());
  for (std::size_t i = 0; i < in; ++i) {
    for (std::size_t k = 0; k < rest; ++k) turned[k * in + i] = values[i * rest + k];
  }
  return Constant::create(weights.get_element_type(), {rest, in, 1, 1}, turned);
}

// The constant as the channels before the rearrangement need it; null when it is of another kind.
NodePtr for_each_of(const std::shared_ptr<Constant>& constant, std::size_t channels,
                    std::size_t square) {
  const ov::Shape& shape = constant->get_shape();
  if (ov::shape_size(shape) == 1 && shape.size() <= 4) return constant;
  const bool by_channel = ov::shape_size(shape) == channels && shape.size() >= 3 &&
                          shape[shape.size() - 3] == channels && shape.size() <= 4;
  if (!by_channel) return nullptr;
  std::vector<float> repeated;
  for (const float value : constant->cast_vector<float>()) {
    repeated.insert(repeated.end(), square, value);
  }
  return Constant::create(constant->get_element_type(), {1, repeated.size(), 1, 1}, repeated);
}

}  // namespace

bool rewrite_upsample(Network& network, const std::shared_ptr<ov::Node>& layer) {
  const auto transposed = std::dynamic_pointer_cast<ov::op::v1::ConvolutionBackpropData>(layer);
  if (transposed == nullptr) return false;
  const auto weights = weights_of(transposed->input(1));
  if (!weights.ok() || !fills_squares(*transposed, (*weights)->get_shape())) return false;
  const std::size_t channels = (*weights)->get_shape()[1];
  const std::size_t side = (*weights)->get_shape()[2];
  NodePtr before = std::make_shared<ov::op::v1::Convolution>(
      transposed->input_value(0), flattened(**weights), ov::Strides{1, 1}, ov::CoordinateDiff{0, 0},
      ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
  before->set_friendly_name(layer->get_friendly_name() + "/by 1");
  // What follows element by element stays next to the convolution, which engines fuse it with.
  const auto fitted = [channels, square = side * side](const auto& constant) {
    return for_each_of(constant, channels, square);
  };
  ov::Output<ov::Node> after = transposed->output(0);
  while (after.get_target_inputs().size() == 1) {
    const ov::Input<ov::Node> reader = *after.get_target_inputs().begin();
    const NodePtr copy = moved_before(*reader.get_node(), before, after, fitted);
    if (copy == nullptr) break;
    copy->set_friendly_name(reader.get_node()->get_friendly_name() + "/before");
    before = copy;
    after = reader.get_node()->output(0);
  }
  network.replace(after,
                  std::make_shared<ov::op::v0::DepthToSpace>(
                      before, ov::op::v0::DepthToSpace::DepthToSpaceMode::DEPTH_FIRST, side));
  return true;
}

}  // namespace tachostat::engine

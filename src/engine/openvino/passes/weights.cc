#include "engine/openvino/passes/weights.h"

#include <algorithm>
#include <cmath>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>

#include "base/status.h"
#include "engine/openvino/passes/element_wise.h"

namespace tachostat::engine {
namespace {

using ov::op::v0::Constant;

// What a node without inputs from outside computes; null when it depends on any.
std::shared_ptr<Constant> folded(const std::shared_ptr<ov::Node>& node) {
  ov::OutputVector inputs;
  for (const ov::Output<ov::Node>& input : node->input_values()) {
    auto constant = std::dynamic_pointer_cast<Constant>(input.get_node_shared_ptr());
    if (constant == nullptr) constant = folded(input.get_node_shared_ptr());
    if (constant == nullptr) return nullptr;
    inputs.push_back(constant);
  }
  ov::OutputVector outputs(node->get_output_size());
  if (inputs.empty() || !node->constant_fold(outputs, inputs)) return nullptr;
  return std::dynamic_pointer_cast<Constant>(outputs[0].get_node_shared_ptr());
}

std::vector<bool> only(std::size_t rank, std::initializer_list<std::size_t> axes) {
  std::vector<bool> chosen(rank, false);
  for (const std::size_t axis : axes) {
    if (axis < rank) chosen[axis] = true;
  }
  return chosen;
}

// Of a matrix, counted from the end: 1 is the last axis.
std::vector<bool> from_end(std::size_t rank, std::size_t place) {
  return rank < place ? std::vector<bool>(rank, false) : only(rank, {rank - place});
}

template <class Type>
bool is(const ov::Node& layer) {
  return dynamic_cast<const Type*>(&layer) != nullptr;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Constant>> weights_of(const ov::Input<ov::Node>& input) {
  const std::shared_ptr<ov::Node> source = input.get_source_output().get_node_shared_ptr();
  auto constant = std::dynamic_pointer_cast<Constant>(source);
  if (constant == nullptr) constant = folded(source);
  if (constant == nullptr) {
    return base::invalid_argument(
        "input {} of layer '{}' is no constant: it has no weights to quantise", input.get_index(),
        input.get_node()->get_friendly_name());
  }
  return constant;
}

std::shared_ptr<Constant> constant_of(ov::Output<ov::Node> output) {
  while (is_identity(*output.get_node())) {
    output = output.get_node()->input_value(0);
  }
  return std::dynamic_pointer_cast<Constant>(output.get_node_shared_ptr());
}

std::shared_ptr<ov::Node> whole_numbers(const std::vector<std::int64_t>& values) {
  return Constant::create(ov::element::i64, {values.size()}, values);
}

std::vector<bool> output_axes(const ov::Node& layer, std::size_t rank) {
  if (const auto* product = dynamic_cast<const ov::op::v0::MatMul*>(&layer)) {
    if (rank < 2) return only(rank, {});
    return from_end(rank, product->get_transpose_b() ? 2 : 1);
  }
  if (is<ov::op::v1::ConvolutionBackpropData>(layer)) return only(rank, {1});
  if (is<ov::op::v1::GroupConvolution>(layer)) return only(rank, {0, 1});
  if (is<ov::op::v1::GroupConvolutionBackpropData>(layer)) return only(rank, {0, 2});
  return only(rank, {0});
}

std::vector<bool> input_axes(const ov::Node& layer, std::size_t rank) {
  if (const auto* product = dynamic_cast<const ov::op::v0::MatMul*>(&layer)) {
    if (rank < 2) return only(rank, {0});
    return from_end(rank, product->get_transpose_b() ? 1 : 2);
  }
  if (is<ov::op::v1::ConvolutionBackpropData>(layer)) return only(rank, {0});
  if (is<ov::op::v1::GroupConvolution>(layer)) return only(rank, {0, 2});
  if (is<ov::op::v1::GroupConvolutionBackpropData>(layer)) return only(rank, {0, 1});
  return only(rank, {1});
}

std::size_t channel_axis(const ov::Node& layer, std::size_t rank) {
  return is<ov::op::v0::MatMul>(layer) ? rank - 1 : 1;
}

absl::StatusOr<ov::Shape> along_channels(const ov::PartialShape& shape, std::size_t axis,
                                         std::size_t channels, const model::Edge& edge) {
  const bool fits = shape.rank().is_static() && shape.size() >= 2 &&
                    shape[axis].compatible(static_cast<std::int64_t>(channels));
  if (!fits) {
    return base::invalid_argument("input {} of layer '{}' is {}, which has not {} channels",
                                  edge.input, edge.layer, shape.to_string(), channels);
  }
  ov::Shape per_channel(shape.size(), 1);
  per_channel[axis] = channels;
  return per_channel;
}

Digits::Digits(const ov::Shape& shape, std::vector<bool> axes)
    : shape_(shape), axes_(std::move(axes)) {
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    if (axes_[axis]) count_ *= shape_[axis];
  }
}

std::size_t Digits::of(std::size_t element) const {
  std::size_t place = 0;
  std::size_t stride = 1;
  for (std::size_t axis = shape_.size(); axis-- > 0;) {
    const std::size_t digit = element % shape_[axis];
    element /= shape_[axis];
    if (!axes_[axis]) continue;
    place += digit * stride;
    stride *= shape_[axis];
  }
  return place;
}

ov::Shape Digits::shape() const {
  ov::Shape shape(shape_.size(), 1);
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    if (axes_[axis]) shape[axis] = shape_[axis];
  }
  return shape;
}

std::vector<float> largest_magnitudes(std::span<const float> values, const Digits& digits) {
  std::vector<float> largest(digits.count(), 0.0F);
  for (std::size_t i = 0; i < values.size(); ++i) {
    float& place = largest[digits.of(i)];
    place = std::max(place, std::abs(values[i]));
  }
  return largest;
}

}  // namespace tachostat::engine

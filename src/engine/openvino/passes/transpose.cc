#include <openvino/op/constant.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/transpose.hpp>

#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using Axes = std::vector<std::int64_t>;

const Axes kChannelsLast = {0, 2, 3, 1};   // of a tensor with channels first, as axes of that
const Axes kChannelsFirst = {0, 3, 1, 2};  // and back

// Without the axes along which there is only one number: these have no place in memory.
Axes real(const Axes& axes, const ov::Shape& shape) {
  Axes left;
  for (const std::int64_t axis : axes) {
    if (shape[static_cast<std::size_t>(axis)] != 1) left.push_back(axis);
  }
  return left;
}

Axes picked(const ov::Shape& shape, const Axes& axes) {
  Axes sizes;
  for (const std::int64_t axis : axes) {
    sizes.push_back(static_cast<std::int64_t>(shape[static_cast<std::size_t>(axis)]));
  }
  return sizes;
}

std::shared_ptr<ov::Node> reshaped(const ov::Output<ov::Node>& tensor, const Axes& shape) {
  return std::make_shared<ov::op::v1::Reshape>(tensor, whole_numbers(shape), false);
}

}  // namespace

bool rewrite_transpose(Network& network, const std::shared_ptr<ov::Node>& layer) {
  const auto transpose = std::dynamic_pointer_cast<ov::op::v1::Transpose>(layer);
  const auto constant = transpose == nullptr ? nullptr : constant_of(transpose->input_value(1));
  const bool known = constant != nullptr && transpose->get_input_partial_shape(0).is_static() &&
                     transpose->get_input_partial_shape(0).size() == 4 &&
                     ov::shape_size(constant->get_shape()) == 4;
  if (!known) return false;
  const Axes order = constant->cast_vector<std::int64_t>();
  if (order == kChannelsLast || order == kChannelsFirst) return false;
  const ov::Output<ov::Node> input = transpose->input_value(0);
  const ov::Shape& before = input.get_shape();
  const ov::Shape& after = transpose->get_output_shape(0);
  // Where the output's axes lie in the input, and the other way round.
  Axes lies(4);
  for (std::size_t i = 0; i < 4; ++i)
    lies[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  std::shared_ptr<ov::Node> made;
  if (real(order, before) == real({0, 1, 2, 3}, before)) {
    made = reshaped(input, picked(after, {0, 1, 2, 3}));
  } else if (real(lies, after) == real(kChannelsLast, after)) {
    const auto flat = reshaped(input, picked(after, kChannelsLast));
    flat->set_friendly_name(layer->get_friendly_name() + "/channels last");
    made = std::make_shared<ov::op::v1::Transpose>(flat, whole_numbers(kChannelsFirst));
  } else if (real(order, before) == real(kChannelsLast, before)) {
    const auto last = std::make_shared<ov::op::v1::Transpose>(input, whole_numbers(kChannelsLast));
    last->set_friendly_name(layer->get_friendly_name() + "/channels last");
    made = reshaped(last, picked(after, {0, 1, 2, 3}));
  } else {
    return false;
  }
  network.replace(transpose->output(0), made);
  return true;
}

}  // namespace tachostat::engine

#include "engine/openvino/passes/channels.h"

#include <algorithm>
#include <map>
#include <openvino/op/batch_norm.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/util/arithmetic_reductions_keep_dims.hpp>
#include <openvino/op/util/op_types.hpp>
#include <set>

#include "engine/openvino/passes/element_wise.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using Axes = std::vector<std::int64_t>;
using Tensor = ov::Output<ov::Node>;

constexpr std::size_t kFewest = 16;  // channels that are worth a group

template <class... Types>
bool is_any(const ov::Node& node) {
  return (... || (dynamic_cast<const Types*>(&node) != nullptr));
}

bool is_constant(const ov::Input<ov::Node>& input) { return weights_of(input).ok(); }

std::size_t rank_of(const ov::PartialShape& shape) {
  return shape.rank().is_static() ? shape.size() : 0;
}

// Convolutions that read every channel for each that they compute, and matrix products with
// weights on the right.
bool is_product(const ov::Node& node) {
  const bool known =
      is_any<ov::op::v1::Convolution, ov::op::v1::ConvolutionBackpropData, ov::op::v0::MatMul>(
          node);
  if (!known || !is_constant(const_cast<ov::Node&>(node).input(1))) return false;
  const auto* const product = dynamic_cast<const ov::op::v0::MatMul*>(&node);
  return product == nullptr ||
         (!product->get_transpose_a() && rank_of(node.get_input_partial_shape(1)) == 2);
}

bool is_depthwise(const ov::Node& node) {
  if (!is_any<ov::op::v1::GroupConvolution>(node)) return false;
  const auto weights = weights_of(const_cast<ov::Node&>(node).input(1));
  return weights.ok() && (*weights)->get_shape()[1] == 1 && (*weights)->get_shape()[2] == 1;
}

bool is_normalisation(const ov::Node& node) {
  return is_any<ov::op::v0::BatchNormInference, ov::op::v5::BatchNormInference>(node);
}

bool is_slope(const ov::Node& node) { return std::string_view(node.get_type_name()) == "PRelu"; }

// Joins the tensors that it reads, place by place.
bool combines(const ov::Node& node) { return is_element_wise(node) || is_slope(node); }

bool is_pool(const ov::Node& node) {
  const std::string_view type = node.get_type_name();
  return type == "MaxPool" || type == "AvgPool";
}

// Change a tensor's shape, not its numbers or their order.
bool is_reshape(const ov::Node& node) {
  const std::string_view type = node.get_type_name();
  return type == "Reshape" || type == "Squeeze" || type == "Unsqueeze";
}

std::optional<Axes> constant_axes(const ov::Node& node, std::size_t input, std::size_t rank) {
  if (input >= node.get_input_size()) return std::nullopt;
  const auto constant = constant_of(node.input_value(input));
  if (constant == nullptr) return std::nullopt;
  Axes axes = constant->cast_vector<std::int64_t>();
  for (std::int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<std::int64_t>(rank);
  }
  return axes;
}

bool contains(const Axes& axes, std::size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
}

// The input's axis for each of the output's, or the other way round.
using AxisMap = std::vector<std::optional<std::size_t>>;

AxisMap reshaped_axes(const ov::PartialShape& in, const ov::PartialShape& out) {
  AxisMap map(rank_of(out));
  if (rank_of(in) == 0) return map;
  const auto ahead = [](const ov::PartialShape& shape, std::size_t axis) {
    std::pair<std::size_t, std::size_t> found{1, 0};  // the known sizes' product; unknown ones
    for (std::size_t i = 0; i < axis; ++i) {
      if (shape[i].is_static()) {
        found.first *= static_cast<std::size_t>(shape[i].get_length());
      } else {
        ++found.second;
      }
    }
    return found;
  };
  for (std::size_t to = 0; to < out.size(); ++to) {
    for (std::size_t from = 0; from < in.size(); ++from) {
      const bool same = out[to].is_static() && in[from].is_static() && out[to] == in[from] &&
                        out[to].get_length() > 1 && ahead(in, from) == ahead(out, to);
      if (same) map[to] = from;
    }
  }
  return map;
}

AxisMap reduced_axes(const ov::Node& node, const Axes& axes, std::size_t rank) {
  const auto* const keeping = dynamic_cast<const ov::op::util::ArithmeticReductionKeepDims*>(&node);
  const bool keeps = keeping != nullptr && keeping->get_keep_dims();
  AxisMap map;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const bool reduced = contains(axes, axis);
    if (!reduced) map.emplace_back(axis);
    if (reduced && keeps) map.emplace_back(std::nullopt);
  }
  return map;
}

// Where each axis of the output's lies in the first input, for layers that hand channels on. Empty:
// the layer does something else with them.
AxisMap axis_map(const ov::Node& node) {
  const ov::PartialShape& in = node.get_input_partial_shape(0);
  const ov::PartialShape& out = node.get_output_partial_shape(0);
  const std::size_t rank = rank_of(in);
  if (rank == 0) return {};
  if (is_reshape(node)) return reshaped_axes(in, out);
  AxisMap same;
  for (std::size_t axis = 0; axis < rank; ++axis) same.emplace_back(axis);
  if (is_pool(node) || is_depthwise(node) || is_normalisation(node)) {
    // Spatial axes are mixed within themselves; channels are axis 1.
    return {0, 1};
  }
  if (is_any<ov::op::v1::Transpose>(node)) {
    const auto order = constant_axes(node, 1, rank);
    if (!order || order->size() != rank) return {};
    for (std::size_t axis = 0; axis < rank; ++axis) {
      same[axis] = static_cast<std::size_t>((*order)[axis]);
    }
    return same;
  }
  if (is_any<ov::op::util::ArithmeticReductionKeepDims>(node)) {
    const auto axes = constant_axes(node, 1, rank);
    return axes ? reduced_axes(node, *axes, rank) : AxisMap();
  }
  if (std::string_view(node.get_type_name()) == "Interpolate") {
    const auto axes = constant_axes(node, node.get_input_size() - 1, rank);
    if (!axes || node.get_input_size() < 3) return {};
    for (const std::int64_t axis : *axes) same[static_cast<std::size_t>(axis)] = std::nullopt;
    return same;
  }
  return {};
}

class Walk {
 public:
  // False: something needs all of them.
  bool run(const std::shared_ptr<ov::Node>& product) {
    const std::size_t rank = rank_of(product->get_output_partial_shape(0));
    if (rank < 2) return false;
    const std::size_t axis = channel_axis(*product, rank);
    const ov::Dimension count = product->get_output_partial_shape(0)[axis];
    if (count.is_dynamic()) return false;
    found_.count = static_cast<std::size_t>(count.get_length());
    if (!reach(product->output(0), axis)) return false;
    while (!waiting_.empty()) {
      const auto [tensor, at] = waiting_.back();
      waiting_.pop_back();
      if (!came_from(*tensor.get_node(), at)) return false;
      for (const ov::Input<ov::Node>& reader : tensor.get_target_inputs()) {
        if (!goes_to(reader, at)) return false;
      }
    }
    return !found_.readers.empty();
  }

  Channels take() { return std::move(found_); }
  const Channels& found() const { return found_; }

 private:
  bool is_count(const ov::PartialShape& shape, std::size_t axis) const {
    return axis < rank_of(shape) && shape[axis].is_static() &&
           static_cast<std::size_t>(shape[axis].get_length()) == found_.count;
  }

  bool reach(const Tensor& tensor, std::size_t axis) {
    if (!is_count(tensor.get_partial_shape(), axis)) return false;
    const auto [known, is_new] = seen_.emplace(tensor, axis);
    if (is_new) waiting_.emplace_back(tensor, axis);
    return known->second == axis;
  }

  bool cut(ov::Node& node, std::size_t input, std::size_t axis) {
    const auto constant = weights_of(node.input(input));
    if (!constant.ok() || !is_count(ov::PartialShape((*constant)->get_shape()), axis)) return false;
    found_.constants.push_back({node.input(input), axis});
    return true;
  }

  // All that the tensor's numbers are computed from.
  bool came_from(ov::Node& node, std::size_t axis) {
    if (is_product(node)) {
      const std::size_t rank = rank_of(node.get_output_partial_shape(0));
      if (axis != channel_axis(node, rank)) return false;
      found_.products.push_back(&node);
      return cut(node, 1, weight_axis(node, output_axes));
    }
    if (combines(node)) return came_through(node, axis);
    const AxisMap map = axis_map(node);
    if (axis >= map.size() || !map[axis]) return false;
    if (is_depthwise(node)) {
      found_.products.push_back(&node);
      if (!cut(node, 1, 0)) return false;
    }
    for (std::size_t i = 1; is_normalisation(node) && i < node.get_input_size(); ++i) {
      if (!cut(node, i, 0)) return false;
    }
    return reach(node.input_value(0), *map[axis]) && resized(node, axis);
  }

  static std::size_t weight_axis(const ov::Node& product,
                                 std::vector<bool> (*axes_of)(const ov::Node&, std::size_t)) {
    const auto weights = weights_of(const_cast<ov::Node&>(product).input(1));
    const std::vector<bool> axes = axes_of(product, (*weights)->get_shape().size());
    return static_cast<std::size_t>(std::find(axes.begin(), axes.end(), true) - axes.begin());
  }

  // Inputs are broadcast from their last axis on, but for a slope per channel.
  bool came_through(ov::Node& node, std::size_t axis) {
    const std::size_t rank = rank_of(node.get_output_partial_shape(0));
    for (std::size_t i = 0; i < node.get_input_size(); ++i) {
      const ov::PartialShape& shape = node.get_input_partial_shape(i);
      if (shape.rank().is_dynamic()) return false;
      const bool slope = i == 1 && shape.size() == 1 && rank > 1 && is_slope(node);
      if (slope && is_count(shape, 0)) {
        if (axis != 1 || !cut(node, i, 0)) return false;
        continue;
      }
      if (axis + shape.size() < rank) continue;
      const std::size_t there = axis + shape.size() - rank;
      if (shape[there].is_static() && shape[there].get_length() == 1) continue;
      const bool good =
          is_constant(node.input(i)) ? cut(node, i, there) : reach(node.input_value(i), there);
      if (!good) return false;
    }
    return true;
  }

  // A reshape may say how many channels there are.
  bool resized(ov::Node& node, std::size_t axis) {
    if (std::string_view(node.get_type_name()) != "Reshape") return true;
    const auto shape = constant_of(node.input_value(1));
    if (shape == nullptr || ov::shape_size(shape->get_shape()) <= axis) return false;
    if (shape->cast_vector<std::int64_t>()[axis] <= 0) return true;
    found_.sizes.push_back({node.input(1), axis});
    return true;
  }

  bool goes_to(const ov::Input<ov::Node>& input, std::size_t axis) {
    ov::Node& node = *input.get_node();
    if (ov::op::util::is_output(&node)) return false;
    if (is_product(node)) {
      const std::size_t rank = rank_of(node.get_input_partial_shape(0));
      if (input.get_index() != 0 || axis != channel_axis(node, rank)) return false;
      found_.readers.push_back({input, node.input(1), weight_axis(node, input_axes)});
      return true;
    }
    if (combines(node)) {
      const std::size_t ahead = rank_of(node.get_output_partial_shape(0)) -
                                rank_of(node.get_input_partial_shape(input.get_index()));
      return reach(node.output(0), axis + ahead);
    }
    if (input.get_index() != 0) return false;
    for (std::size_t i = 1; i < node.get_output_size(); ++i) {
      if (!node.output(i).get_target_inputs().empty()) return false;  // a pool's indices
    }
    const AxisMap map = axis_map(node);
    const auto place = std::find(map.begin(), map.end(), std::optional(axis));
    return place != map.end() &&
           reach(node.output(0), static_cast<std::size_t>(place - map.begin()));
  }

  Channels found_;
  std::map<Tensor, std::size_t> seen_;
  std::vector<std::pair<Tensor, std::size_t>> waiting_;
};

std::vector<float> squares_of(const Channels::Reader& reader) {
  const auto weights = weights_of(reader.weights);
  const std::vector<float> values = (*weights)->cast_vector<float>();
  const ov::Shape& shape = (*weights)->get_shape();
  std::vector<bool> axes(shape.size(), false);
  axes[reader.axis] = true;
  const Digits channels(shape, axes);
  std::vector<float> squares(channels.count(), 0.0F);
  for (std::size_t i = 0; i < values.size(); ++i) squares[channels.of(i)] += values[i] * values[i];
  return squares;
}

model::ChannelGroup told(const Channels& channels, const std::string& name) {
  model::ChannelGroup group{.name = name, .channels = static_cast<int>(channels.count)};
  for (const ov::Node* const node : channels.products) {
    group.layers.push_back(node->get_friendly_name());
  }
  for (const Channels::Reader& reader : channels.readers) {
    const std::string& layer = reader.data.get_node()->get_friendly_name();
    group.layers.push_back(layer);
    group.readers.push_back(
        {{layer, static_cast<int>(reader.data.get_index())}, squares_of(reader)});
  }
  return group;
}

}  // namespace

std::optional<Channels> channels_of(const std::shared_ptr<ov::Node>& product) {
  if (!is_product(*product)) return std::nullopt;
  Walk walk;
  if (!walk.run(product)) return std::nullopt;
  return walk.take();
}

std::vector<model::ChannelGroup> find_channel_groups(ov::Model& model) {
  std::vector<model::ChannelGroup> groups;
  std::set<const ov::Node*> seen;
  for (const std::shared_ptr<ov::Node>& node : model.get_ordered_ops()) {
    if (!is_product(*node) || seen.contains(node.get())) continue;
    Walk walk;
    const bool good = walk.run(node);
    seen.insert(walk.found().products.begin(), walk.found().products.end());
    if (!good || walk.found().count < kFewest) continue;
    groups.push_back(told(walk.found(), node->get_friendly_name()));
  }
  return groups;
}

}  // namespace tachostat::engine

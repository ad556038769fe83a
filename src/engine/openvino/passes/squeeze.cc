#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/util/arithmetic_reductions_keep_dims.hpp>
#include <optional>
#include <set>

#include "engine/openvino/passes/element_wise.h"
#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using NodePtr = std::shared_ptr<ov::Node>;
using Output = ov::Output<ov::Node>;
using Reduction = ov::op::util::ArithmeticReductionKeepDims;

// Axes of a tensor of which some, along which it has only one number, are to go.
class Axes {
 public:
  Axes(std::size_t rank, std::set<std::size_t> gone) : rank_(rank), gone_(std::move(gone)) {}

  std::size_t left() const { return rank_ - gone_.size(); }
  // Of the tensor, by its number among those that stay.
  std::size_t before(std::size_t axis) const {
    for (std::size_t i = 0; i < rank_; ++i) {
      if (!gone_.contains(i) && axis-- == 0) return i;
    }
    return rank_;
  }
  void remove(std::size_t axis) { gone_.insert(axis); }
  std::vector<std::int64_t> gone() const { return {gone_.begin(), gone_.end()}; }

  // A constant that is broadcast to what stays, as it is broadcast to the whole; null when it is
  // wider.
  NodePtr widened(const std::shared_ptr<ov::op::v0::Constant>& constant) const {
    const ov::Shape& narrow = constant->get_shape();
    if (ov::shape_size(narrow) == 1 && narrow.size() <= left()) return constant;
    if (narrow.size() > left()) return nullptr;
    ov::Shape shape(rank_, 1);
    for (std::size_t i = 0; i < narrow.size(); ++i) {
      shape[before(left() - narrow.size() + i)] = narrow[i];
    }
    return std::make_shared<ov::op::v0::Constant>(*constant, shape);
  }

 private:
  std::size_t rank_;
  std::set<std::size_t> gone_;
};

// What a squeeze, or a reshape that only drops axes of one, takes away.
std::optional<std::set<std::size_t>> dropped(const ov::Node& layer) {
  const bool known = dynamic_cast<const ov::op::v0::Squeeze*>(&layer) != nullptr ||
                     dynamic_cast<const ov::op::v1::Reshape*>(&layer) != nullptr;
  if (!known || !layer.get_input_partial_shape(0).is_static()) return std::nullopt;
  const ov::Shape& before = layer.get_input_shape(0);
  const ov::PartialShape& output = layer.get_output_partial_shape(0);
  if (!output.is_static() || output.size() >= before.size()) return std::nullopt;
  const ov::Shape after = output.to_shape();
  // Which of several axes of one goes is the same.
  std::set<std::size_t> gone;
  std::size_t at = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool stays = at < after.size() && before[i] == after[at];
    if (stays) {
      ++at;
    } else if (before[i] == 1) {
      gone.insert(i);
    } else {
      return std::nullopt;
    }
  }
  return at == after.size() ? std::optional(gone) : std::nullopt;
}

// Only there are other layouts than the plain one in use.
bool follows_convolution(const ov::Node& layer) {
  const ov::Node* node = layer.get_input_node_ptr(0);
  while (std::string_view(node->get_type_name()).ends_with("Slice") || is_element_wise(*node)) {
    node = node->get_input_node_ptr(0);
  }
  return dynamic_cast<const ov::op::v1::Convolution*>(node) != nullptr ||
         dynamic_cast<const ov::op::v1::GroupConvolution*>(node) != nullptr;
}

// An element-wise layer on the whole tensor `before` instead of `after`; null when that is not the
// same.
NodePtr moved(const ov::Node& layer, const Output& before, const Output& after, const Axes& axes) {
  // Nothing else makes it wider.
  if (!layer.get_output_partial_shape(0).same_scheme(after.get_partial_shape())) return nullptr;
  return moved_before(layer, before, after,
                      [&axes](const auto& constant) { return axes.widened(constant); });
}

// A reduction likewise; the axes that it takes away are to go too.
NodePtr moved_reduction(const ov::Node& layer, const Output& before, Axes& axes) {
  const auto* const reduction = dynamic_cast<const Reduction*>(&layer);
  const auto constant = reduction == nullptr ? nullptr : constant_of(layer.input_value(1));
  if (constant == nullptr) return nullptr;
  std::vector<std::int64_t> over;
  for (std::int64_t axis : constant->cast_vector<std::int64_t>()) {
    if (axis < 0) axis += static_cast<std::int64_t>(axes.left());
    over.push_back(static_cast<std::int64_t>(axes.before(static_cast<std::size_t>(axis))));
  }
  const NodePtr copy = layer.clone_with_new_inputs({before, whole_numbers(over)});
  std::dynamic_pointer_cast<Reduction>(copy)->set_keep_dims(true);
  copy->validate_and_infer_types();
  if (!reduction->get_keep_dims()) {
    for (const std::int64_t axis : over) axes.remove(static_cast<std::size_t>(axis));
  }
  return copy;
}

}  // namespace

bool rewrite_squeeze(Network& network, const std::shared_ptr<ov::Node>& layer) {
  const auto gone = dropped(*layer);
  if (!gone || !follows_convolution(*layer)) return false;
  Axes axes(layer->get_input_shape(0).size(), *gone);
  Output before = layer->input_value(0);
  Output after = layer->output(0);
  bool any = false;
  while (after.get_target_inputs().size() == 1) {
    const ov::Input<ov::Node> reader = *after.get_target_inputs().begin();
    NodePtr copy = moved(*reader.get_node(), before, after, axes);
    if (copy == nullptr) copy = moved_reduction(*reader.get_node(), before, axes);
    if (copy == nullptr) break;
    copy->set_friendly_name(reader.get_node()->get_friendly_name() + "/before");
    before = copy->output(0);
    after = reader.get_node()->output(0);
    any = true;
  }
  if (!any) return false;
  network.replace(after, std::make_shared<ov::op::v0::Squeeze>(before, whole_numbers(axes.gone())));
  return true;
}

}  // namespace tachostat::engine

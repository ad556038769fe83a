#include "engine/openvino/passes/element_wise.h"

#include <algorithm>
#include <openvino/op/util/binary_elementwise_arithmetic.hpp>
#include <openvino/op/util/unary_elementwise_arithmetic.hpp>
#include <set>

#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {

bool is_element_wise(const ov::Node& node) {
  // These are of no common kind in OpenVINO.
  static const std::set<std::string_view> others = {"Clamp",    "Gelu", "HSigmoid", "HSwish",
                                                    "Identity", "Mish", "SoftPlus", "Swish"};
  return node.get_output_size() == 1 &&
         (dynamic_cast<const ov::op::util::BinaryElementwiseArithmetic*>(&node) != nullptr ||
          dynamic_cast<const ov::op::util::UnaryElementwiseArithmetic*>(&node) != nullptr ||
          others.contains(node.get_type_name()));
}

bool is_identity(const ov::Node& node) {
  return std::string_view(node.get_type_name()) == "Identity";
}

bool holds(const std::vector<std::shared_ptr<ov::Node>>& nodes, const ov::Node* node) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [node](const auto& one) { return one.get() == node; });
}

std::shared_ptr<ov::Node> moved_before(const ov::Node& layer, const ov::Output<ov::Node>& before,
                                       const ov::Output<ov::Node>& after, const Fitted& fitted) {
  if (!is_element_wise(layer)) return nullptr;
  ov::OutputVector inputs;
  for (const ov::Output<ov::Node>& input : layer.input_values()) {
    if (input == after) {
      inputs.push_back(before);
      continue;
    }
    const auto constant = constant_of(input);
    const auto fit = constant == nullptr ? nullptr : fitted(constant);
    if (fit == nullptr) return nullptr;
    inputs.push_back(fit);
  }
  return layer.clone_with_new_inputs(inputs);
}

}  // namespace tachostat::engine

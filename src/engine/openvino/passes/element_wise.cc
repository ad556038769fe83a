#include "engine/openvino/passes/element_wise.h"

#include <openvino/op/util/binary_elementwise_arithmetic.hpp>
#include <openvino/op/util/unary_elementwise_arithmetic.hpp>
#include <set>

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

}  // namespace tachostat::engine

// What several element-wise layers compute together of one tensor, as a function of one number.
#pragma once

#include <functional>
#include <memory>
#include <openvino/core/node.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace tachostat::engine {

// Layers between one tensor and `last` that apply, element by element, the same function to every
// number of it: their only other inputs are single numbers.
struct ScalarFunction {
  ov::Output<ov::Node> argument;
  std::vector<std::shared_ptr<ov::Node>> layers;  // in the order of computing; `last` ends it
  std::function<double(double)> value;
};

// The longest chains that end with `last`, one for each tensor that may be the argument, longest
// first.
std::vector<ScalarFunction> scalar_functions(const std::shared_ptr<ov::Node>& last);

// One layer that computes the same within the rounding of f32, held against it at thousands of
// numbers; null when none is known.
std::shared_ptr<ov::Node> one_layer_of(const ScalarFunction& function);

// The value that all elements of a constant have; also of one that is converted or handed
// on.
std::optional<double> single_value(const ov::Output<ov::Node>& output);

}  // namespace tachostat::engine

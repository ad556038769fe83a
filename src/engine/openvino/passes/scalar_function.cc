#include "engine/openvino/passes/scalar_function.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <unordered_map>

#include "engine/openvino/passes/element_wise.h"

namespace tachostat::engine {
namespace {

using NodePtr = std::shared_ptr<ov::Node>;
using Arguments = std::vector<double>;

constexpr std::size_t kMostLayers = 24;

struct Operator {
  std::size_t inputs;
  double (*value)(const Arguments&);
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

const std::map<std::string_view, Operator>& operators() {
  static const std::map<std::string_view, Operator> all = {
      {"Add", {2, [](const Arguments& x) { return x[0] + x[1]; }}},
      {"Subtract", {2, [](const Arguments& x) { return x[0] - x[1]; }}},
      {"Multiply", {2, [](const Arguments& x) { return x[0] * x[1]; }}},
      {"Divide", {2, [](const Arguments& x) { return x[0] / x[1]; }}},
      {"Power", {2, [](const Arguments& x) { return std::pow(x[0], x[1]); }}},
      {"Maximum", {2, [](const Arguments& x) { return std::max(x[0], x[1]); }}},
      {"Minimum", {2, [](const Arguments& x) { return std::min(x[0], x[1]); }}},
      {"Abs", {1, [](const Arguments& x) { return std::abs(x[0]); }}},
      {"Negative", {1, [](const Arguments& x) { return -x[0]; }}},
      {"Exp", {1, [](const Arguments& x) { return std::exp(x[0]); }}},
      {"Log", {1, [](const Arguments& x) { return std::log(x[0]); }}},
      {"Sqrt", {1, [](const Arguments& x) { return std::sqrt(x[0]); }}},
      {"Tanh", {1, [](const Arguments& x) { return std::tanh(x[0]); }}},
      {"Erf", {1, [](const Arguments& x) { return std::erf(x[0]); }}},
      {"Sigmoid", {1, [](const Arguments& x) { return sigmoid(x[0]); }}},
      {"Relu", {1, [](const Arguments& x) { return std::max(x[0], 0.0); }}},
      {"SoftPlus", {1, [](const Arguments& x) { return std::log1p(std::exp(x[0])); }}},
      {"Identity", {1, [](const Arguments& x) { return x[0]; }}},
      {"Clamp", {1, nullptr}},  // its limits are attributes
  };
  return all;
}

const Operator* operator_of(const ov::Node& node) {
  const auto found = operators().find(node.get_type_name());
  const bool known = found != operators().end() && node.get_output_size() == 1 &&
                     node.get_input_size() == found->second.inputs &&
                     node.get_output_element_type(0) == ov::element::f32;
  return known ? &found->second : nullptr;
}

// Layers from the argument to the last one; empty when they need anything else that is no number.
class Path {
 public:
  Path(ov::Output<ov::Node> argument, const NodePtr& last) : argument_(std::move(argument)) {
    good_ = visit(last);
  }

  bool good() const { return good_; }
  std::vector<NodePtr> layers() const { return layers_; }

  std::function<double(double)> value() const {
    return [steps = steps_](double x) {
      std::vector<double> values;
      values.reserve(steps.size());
      Arguments arguments;
      for (const Step& step : steps) {
        arguments.clear();
        for (const Operand& operand : step.operands) {
          arguments.push_back(operand.step == kArgument ? x
                              : operand.step == kNumber ? operand.number
                                                        : values[operand.step]);
        }
        values.push_back(step.value(arguments));
      }
      return values.back();
    };
  }

 private:
  static constexpr std::size_t kArgument = SIZE_MAX;
  static constexpr std::size_t kNumber = SIZE_MAX - 1;
  struct Operand {
    std::size_t step = kNumber;
    double number = 0;
  };
  struct Step {
    std::function<double(const Arguments&)> value;
    std::vector<Operand> operands;
  };

  bool visit(const NodePtr& node) {
    if (places_.contains(node.get())) return true;
    const Operator* const known = operator_of(*node);
    if (known == nullptr || layers_.size() >= kMostLayers) return false;
    Step step{.value = known->value, .operands = {}};
    if (const auto* const clamp = dynamic_cast<const ov::op::v0::Clamp*>(node.get())) {
      step.value = [low = clamp->get_min(), high = clamp->get_max()](const Arguments& x) {
        return std::clamp(x[0], low, high);
      };
    }
    for (const ov::Output<ov::Node>& input : node->input_values()) {
      if (input == argument_) {
        step.operands.push_back({.step = kArgument});
      } else if (const auto number = single_value(input)) {
        step.operands.push_back({.number = *number});
      } else if (visit(input.get_node_shared_ptr())) {
        step.operands.push_back({.step = places_.at(input.get_node())});
      } else {
        return false;
      }
    }
    places_[node.get()] = layers_.size();
    layers_.push_back(node);
    steps_.push_back(std::move(step));
    return true;
  }

  const ov::Output<ov::Node> argument_;
  bool good_ = false;
  std::vector<NodePtr> layers_;
  std::vector<Step> steps_;
  std::unordered_map<const ov::Node*, std::size_t> places_;
};

// Every tensor that the layers behind `last` compute or read.
std::vector<ov::Output<ov::Node>> tensors_before(const NodePtr& last) {
  std::vector<NodePtr> queue = {last};
  std::vector<ov::Output<ov::Node>> found;
  for (std::size_t i = 0; i < queue.size() && queue.size() <= kMostLayers; ++i) {
    for (const ov::Output<ov::Node>& input : queue[i]->input_values()) {
      const bool seen = std::find(found.begin(), found.end(), input) != found.end();
      if (seen || single_value(input)) continue;
      found.push_back(input);
      const NodePtr node = input.get_node_shared_ptr();
      const bool queued = std::find(queue.begin(), queue.end(), node) != queue.end();
      if (!queued && operator_of(*node) != nullptr) queue.push_back(node);
    }
  }
  return found;
}

std::size_t count_real(const std::vector<NodePtr>& layers) {
  return static_cast<std::size_t>(std::count_if(
      layers.begin(), layers.end(), [](const NodePtr& layer) { return !is_identity(*layer); }));
}

// Nothing outside reads what the layers before the last one compute.
bool closed(const std::vector<NodePtr>& layers) {
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    for (const ov::Input<ov::Node>& reader : layers[i]->output(0).get_target_inputs()) {
      if (!holds(layers, reader.get_node())) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<double> single_value(const ov::Output<ov::Node>& output) {
  NodePtr node = output.get_node_shared_ptr();
  while (std::dynamic_pointer_cast<ov::op::v0::Convert>(node) != nullptr || is_identity(*node)) {
    node = node->get_input_node_shared_ptr(0);
  }
  const auto constant = std::dynamic_pointer_cast<ov::op::v0::Constant>(node);
  if (constant == nullptr || ov::shape_size(constant->get_shape()) == 0) return std::nullopt;
  if (ov::shape_size(constant->get_shape()) > 1 &&
      !constant->get_all_data_elements_bitwise_identical()) {
    return std::nullopt;
  }
  return constant->cast_vector<double>(1)[0];
}

std::vector<ScalarFunction> scalar_functions(const std::shared_ptr<ov::Node>& last) {
  std::vector<ScalarFunction> found;
  if (operator_of(*last) == nullptr) return found;
  for (const ov::Output<ov::Node>& tensor : tensors_before(last)) {
    // Numbers that are wider than the tensor would make the result wider too.
    const bool alike = tensor.get_element_type() == ov::element::f32 &&
                       tensor.get_partial_shape().same_scheme(last->get_output_partial_shape(0));
    if (!alike) continue;
    const Path path(tensor, last);
    if (!path.good() || count_real(path.layers()) < 2 || !closed(path.layers())) continue;
    found.push_back({.argument = tensor, .layers = path.layers(), .value = path.value()});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.layers.size() > b.layers.size(); });
  return found;
}

}  // namespace tachostat::engine

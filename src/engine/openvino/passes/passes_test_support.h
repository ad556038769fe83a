// For tests of passes: small networks, and what they compute.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>
#include <tuple>
#include <vector>

namespace tachostat::engine {

using Node = std::shared_ptr<ov::Node>;

MATCHER_P(Near, tolerance, "") {
  return std::abs(std::get<0>(arg) - std::get<1>(arg)) <=
         tolerance * std::max(1.0F, std::abs(std::get<1>(arg)));
}

inline Node named(const char* name, Node node) {
  node->set_friendly_name(name);
  return node;
}

inline std::shared_ptr<ov::Model> model_of(const Node& last,
                                           const std::shared_ptr<ov::opset13::Parameter>& x) {
  return std::make_shared<ov::Model>(ov::OutputVector{last}, ov::ParameterVector{x}, "net");
}

// The first output, in f32 on one thread, for an input of these values over and over.
template <class Type>
std::vector<float> run(const std::shared_ptr<ov::Model>& model, const std::vector<Type>& values) {
  static ov::Core core;
  ov::CompiledModel compiled = core.compile_model(
      model, "CPU", ov::hint::inference_precision(ov::element::f32), ov::inference_num_threads(1));
  ov::InferRequest request = compiled.create_infer_request();
  ov::Tensor input = request.get_input_tensor();
  Type* const data = input.data<Type>();
  for (std::size_t i = 0; i < input.get_size(); ++i) data[i] = values[i % values.size()];
  request.infer();
  const ov::Tensor output = request.get_output_tensor();
  return {output.data<float>(), output.data<float>() + output.get_size()};
}

}  // namespace tachostat::engine

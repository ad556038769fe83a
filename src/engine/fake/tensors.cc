#include <cstring>

#include "engine/fake/fake.h"

namespace tachostat::engine {

model::Graph identity_graph(const std::string& name, const model::Shape& shape,
                            model::DataType type) {
  model::Graph graph;
  graph.name = name;
  graph.path = "fake/" + name;
  graph.hash = "fake-" + name;
  graph.format = "fake";
  graph.inputs = {{"x", type, shape}};
  graph.outputs = {{"y", type, shape}};
  const model::Value value{.type = type, .shape = shape};
  graph.layers.push_back({.name = "copy",
                          .type = "Identity",
                          .inputs = {value},
                          .outputs = {value},
                          .producers = {-1}});
  if (model::is_static(shape)) {
    const double bytes = static_cast<double>(model::elements_of(shape)) * model::bits_of(type) / 8;
    graph.layers.back().work = {
        .flops = 0, .weight_bytes = 0, .input_bytes = bytes, .output_bytes = bytes};
  }
  return graph;
}

Tensor f32_tensor(const std::string& name, const std::vector<float>& values, model::Shape shape) {
  if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
  const auto copy = std::make_shared<const std::vector<float>>(values);
  return {.name = name,
          .type = model::DataType::kF32,
          .shape = std::move(shape),
          .data = std::as_bytes(std::span(*copy)),
          .owner = copy};
}

std::vector<float> f32_values(const Tensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  if (!values.empty()) {
    std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(float));
  }
  return values;
}

}  // namespace tachostat::engine

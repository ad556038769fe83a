// Small networks for tests of quantisation.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace tachostat::optimize {

inline constexpr int kWeights = -2;  // a constant as producer

inline void add_layer(model::Graph& graph, const std::string& name, const std::string& type,
                      const std::vector<int>& producers) {
  const model::Value value{.type = model::DataType::kF32, .shape = {1, 8, 4, 4}};
  model::Layer layer{.name = name, .type = type, .outputs = {value}};
  for (const int producer : producers) {
    layer.inputs.push_back(value);
    layer.inputs.back().constant = producer == kWeights;
    layer.producers.push_back(producer == kWeights ? -1 : producer);
  }
  graph.layers.push_back(std::move(layer));
}

// x → conv1 → bias → relu → pool → reshape → conv2.
inline model::Graph chain() {
  model::Graph graph;
  add_layer(graph, "conv1", "Convolution", {-1, kWeights});
  add_layer(graph, "bias", "Add", {0, kWeights});
  add_layer(graph, "relu", "Relu", {1});
  add_layer(graph, "pool", "MaxPool", {2});
  add_layer(graph, "reshape", "Reshape", {3, kWeights});
  add_layer(graph, "conv2", "Convolution", {4, kWeights});
  return graph;
}

// x → conv1 → relu, then conv2 → bias2, sum of both, concatenated with the relu.
inline model::Graph residual() {
  model::Graph graph;
  add_layer(graph, "conv1", "Convolution", {-1, kWeights});
  add_layer(graph, "relu", "Relu", {0});
  add_layer(graph, "conv2", "Convolution", {1, kWeights});
  add_layer(graph, "bias2", "Add", {2, kWeights});
  add_layer(graph, "sum", "Add", {3, 1});
  add_layer(graph, "concat", "Concat", {4, 1});
  return graph;
}

// conv0 → relu0 → conv1 → relu1 → …
inline model::Graph long_chain(int products) {
  model::Graph graph;
  for (int i = 0; i < products; ++i) {
    const int before = static_cast<int>(graph.layers.size()) - 1;
    add_layer(graph, "conv" + std::to_string(i), "Convolution", {before, kWeights});
    add_layer(graph, "relu" + std::to_string(i), "Relu", {before + 1});
  }
  return graph;
}

}  // namespace tachostat::optimize

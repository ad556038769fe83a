#include "optimize/quantise/places.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/status.h"

namespace tachostat::optimize {
namespace {

using model::Edge;
using model::Graph;
using model::Layer;

template <std::size_t n>
bool is_one_of(std::string_view type, const std::array<std::string_view, n>& types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_product(const Layer& layer) {
  static constexpr std::array<std::string_view, 5> kTypes = {
      "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData",
      "MatMul"};
  return is_one_of(layer.type, kTypes);
}

bool is_join(const Layer& layer) {
  static constexpr std::array<std::string_view, 3> kTypes = {"Add", "Multiply", "Concat"};
  return is_one_of(layer.type, kTypes);
}

bool is_move(const Layer& layer) {
  static constexpr std::array<std::string_view, 3> kTypes = {"AvgPool", "ReduceMean",
                                                             "Interpolate"};
  return is_one_of(layer.type, kTypes);
}

// Values come out as they went in, only fewer, or elsewhere.
bool passes_through(const Layer& layer) {
  static constexpr std::array<std::string_view, 12> kTypes = {
      "MaxPool",       "Reshape",      "Transpose", "Squeeze",      "Unsqueeze",       "Split",
      "VariadicSplit", "StridedSlice", "Slice",     "DepthToSpace", "ShuffleChannels", "Tile"};
  return is_one_of(layer.type, kTypes);
}

bool is_float(const model::Value& value) {
  return value.type == model::DataType::kF32 || value.type == model::DataType::kF16;
}

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), readers_(graph.layers.size(), 0) {
    for (const Layer& layer : graph.layers) {
      for (const int producer : layer.producers) {
        if (producer >= 0) ++readers_[static_cast<std::size_t>(producer)];
      }
    }
  }

  std::vector<Switch> find() {
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      const Layer& layer = graph_.layers[i];
      if (layer.inputs.empty() || !is_float(layer.inputs[0])) continue;
      if (is_product(layer)) add_product(static_cast<int>(i));
      if (is_join(layer)) add_join(static_cast<int>(i));
      if (is_move(layer)) add_move(static_cast<int>(i));
    }
    return std::move(switches_);
  }

 private:
  const Layer& layer(int index) const { return graph_.layers[static_cast<std::size_t>(index)]; }

  // The same tensor's values further up, through layers that nobody else reads.
  Edge pushed_up(int index, int input) const {
    const int producer = layer(index).producers[static_cast<std::size_t>(input)];
    const bool further = producer >= 0 && passes_through(layer(producer)) &&
                         readers_[static_cast<std::size_t>(producer)] == 1 &&
                         is_float(layer(producer).inputs[0]) && !layer(producer).inputs[0].constant;
    if (further) return pushed_up(producer, 0);
    return {layer(index).name, input};
  }

  void add_product(int index) {
    Switch made{.kind = Switch::Kind::kProduct, .layer = index};
    const Layer& product = layer(index);
    for (int input = 0; input < 2 && input < static_cast<int>(product.inputs.size()); ++input) {
      if (product.inputs[static_cast<std::size_t>(input)].constant) {
        made.weights.push_back({product.name, input});
      } else {
        made.activations.push_back(pushed_up(index, input));
      }
    }
    // Weights on the left of a matrix product, or none but activations in a convolution, have no
    // integer kernel.
    const bool weights_left = !made.weights.empty() && made.weights[0].input == 0;
    if (made.activations.empty() || weights_left) return;
    if (made.weights.empty() && product.type != "MatMul") return;
    made.symmetric = made.weights.empty();
    switches_.push_back(std::move(made));
  }

  void add_join(int index) {
    const Layer& join = layer(index);
    const auto is_activation = [](const model::Value& value) { return !value.constant; };
    if (std::count_if(join.inputs.begin(), join.inputs.end(), is_activation) < 2) return;
    // All parts of a concatenation together: one that is left f32 makes the whole f32.
    if (join.type == "Concat") {
      Switch made{.kind = Switch::Kind::kJoin, .layer = index};
      for (std::size_t i = 0; i < join.inputs.size(); ++i) {
        if (join.inputs[i].constant) return;
        made.activations.push_back(pushed_up(index, static_cast<int>(i)));
      }
      switches_.push_back(std::move(made));
      return;
    }
    for (int input = 0; input < 2; ++input) {
      if (join.inputs[static_cast<std::size_t>(input)].constant) continue;
      switches_.push_back({.kind = Switch::Kind::kJoin,
                           .layer = index,
                           .activations = {pushed_up(index, input)},
                           .symmetric = join.type == "Add" && follows_product(index, input)});
    }
  }

  void add_move(int index) {
    if (layer(index).inputs[0].constant) return;
    switches_.push_back(
        {.kind = Switch::Kind::kMove, .layer = index, .activations = {pushed_up(index, 0)}});
  }

  // A convolution, or its bias.
  bool follows_product(int index, int input) const {
    int producer = layer(index).producers[static_cast<std::size_t>(input)];
    for (int steps = 0; producer >= 0 && steps < 3; ++steps) {
      const Layer& before = layer(producer);
      if (is_product(before)) return true;
      const bool affine = (before.type == "Add" || before.type == "Multiply") &&
                          before.inputs.size() == 2 &&
                          (before.inputs[0].constant || before.inputs[1].constant);
      if (!affine) return false;
      producer = before.producers[before.inputs[0].constant ? 1 : 0];
    }
    return false;
  }

  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<Switch> switches_;
};

}  // namespace

std::string_view name_of(Switch::Kind kind) {
  switch (kind) {
    case Switch::Kind::kProduct:
      return "product";
    case Switch::Kind::kJoin:
      return "join";
    case Switch::Kind::kMove:
      return "move";
  }
  return "product";
}

std::vector<Switch> find_switches(const Graph& graph) { return Finder(graph).find(); }

}  // namespace tachostat::optimize

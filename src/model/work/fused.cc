// Bytes at the types that an engine applied, and of layers that it runs as one.
#include <algorithm>

#include "model/work.h"
#include "model/work/traffic.h"

namespace tachostat::model {
namespace {

bool is_float(DataType type) {
  return type == DataType::kF64 || type == DataType::kF32 || type == DataType::kF16 ||
         type == DataType::kBF16 || type == DataType::kF8;
}

void apply(DataType type, Value& value) {
  if (type != DataType::kUnknown && is_float(value.type)) value.type = type;
}

Layer at_types(const Layer& layer, const AppliedTypes& applied) {
  Layer changed = layer;
  for (Value& input : changed.inputs) {
    apply(input.constant ? applied.weights : applied.inputs, input);
  }
  for (Value& output : changed.outputs) apply(applied.outputs, output);
  return changed;
}

bool has_body(const Layer& layer) {
  return layer.type == "If" || layer.type == "Loop" || layer.type == "TensorIterator";
}

struct Sum {
  double known = 0;
  bool unknown = false;

  void add(double value) {
    if (value < 0) {
      unknown = true;
    } else {
      known += value;
    }
  }
  double total() const { return known == 0 && unknown ? kNotCounted : known; }
};

struct Sums {
  Sum flops, weights, inputs, outputs;
};

// A view that begins a fused layer passes its first input on; its others are shapes.
bool reads(const Layer& layer, std::size_t input, Traffic traffic) {
  return traffic != Traffic::kView || (input == 0 && layer.type != "ShapeOf");
}

}  // namespace

Work with_types(const Layer& layer, const AppliedTypes& applied) {
  if (has_body(layer)) return layer.work;
  Work work = count_work(at_types(layer, applied), {});
  work.flops = layer.work.flops;
  return work;
}

FusedWork::FusedWork(const Graph& graph) : graph_(graph), consumers_(graph.layers.size()) {
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    for (const int producer : graph.layers[i].producers) {
      if (producer >= 0)
        consumers_[static_cast<std::size_t>(producer)].push_back(static_cast<int>(i));
    }
  }
}

Work FusedWork::of(std::span<const int> layers, const AppliedTypes& applied) const {
  if (layers.empty()) return {};
  const auto layer_at = [&](int index) -> const Layer& {
    return graph_.layers[static_cast<std::size_t>(index)];
  };
  if (layers.size() == 1) return with_types(layer_at(layers[0]), applied);
  const auto inside = [&](int layer) {
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  };
  const bool moves = std::any_of(layers.begin(), layers.end(), [&](int index) {
    return traffic_of(layer_at(index)) != Traffic::kView;
  });
  Sums sums;
  std::vector<int> read;  // layers outside whose only output was counted
  const auto is_counted = [&](int producer) {
    if (producer < 0) return false;
    if (inside(producer)) return true;
    if (layer_at(producer).outputs.size() != 1) return false;
    if (std::find(read.begin(), read.end(), producer) != read.end()) return true;
    read.push_back(producer);
    return false;
  };
  for (const int index : layers) {
    const Layer& original = layer_at(index);
    sums.flops.add(original.work.flops);
    if (has_body(original)) {
      sums.weights.add(original.work.weight_bytes);
      sums.inputs.add(original.work.input_bytes);
      sums.outputs.add(original.work.output_bytes);
      continue;
    }
    if (!moves) continue;
    const Layer layer = at_types(original, applied);
    const Traffic traffic = traffic_of(layer);
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      if (!reads(layer, i, traffic)) continue;
      if (is_counted(i < layer.producers.size() ? layer.producers[i] : -1)) continue;
      (layer.inputs[i].constant ? sums.weights : sums.inputs).add(input_bytes(layer, i, traffic));
    }
    const std::vector<int>& users = consumers_[static_cast<std::size_t>(index)];
    if (!users.empty() && std::all_of(users.begin(), users.end(), inside)) continue;
    for (const Value& output : layer.outputs) sums.outputs.add(bytes_of(output));
  }
  return {.flops = sums.flops.total(),
          .weight_bytes = sums.weights.total(),
          .input_bytes = sums.inputs.total(),
          .output_bytes = sums.outputs.total()};
}

}  // namespace tachostat::model

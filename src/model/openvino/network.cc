#include "model/openvino/network.h"

#include <openvino/op/util/op_types.hpp>
#include <openvino/op/util/shape_of_base.hpp>
#include <unordered_map>
#include <unordered_set>

#include "base/status.h"
#include "model/openvino/hints.h"
#include "model/work.h"

namespace tachostat::model {
namespace {

DataType type_of(const ov::element::Type& type) {
  const std::string name = type.to_string();
  if (name == "boolean") return DataType::kBool;
  if (name.starts_with("f8")) return DataType::kF8;
  return data_type_of(name);
}

// Fills a Graph from a network, node by node in topological order.
class Builder {
 public:
  // `depth` of bodies inside bodies.
  explicit Builder(Graph& graph, int depth = 0) : graph_(graph), depth_(depth) {}

  // Everything but the ports, in topological order.
  void add_layers(const ov::Model& network) {
    for (const std::shared_ptr<ov::Node>& node : network.get_ordered_ops()) {
      if (!ov::op::util::is_parameter(node) && !ov::op::util::is_output(node)) add(*node);
    }
  }

  void add(const ov::Node& node) {
    if (ov::op::util::is_parameter(&node)) {
      graph_.inputs.push_back(port_of(node.output(0)));
    } else if (ov::op::util::is_output(&node)) {
      graph_.outputs.push_back(port_of(node.output(0)));
    } else if (is_constant(node)) {
      constants_.insert(&node);
    } else {
      add_layer(node);
    }
  }

 private:
  // Weights, and what is computed from weights and known shapes alone: engines fold it.
  bool is_constant(const ov::Node& node) const {
    if (ov::op::util::is_constant(&node)) return true;
    if (dynamic_cast<const ov::op::util::ShapeOfBase*>(&node) != nullptr) {
      return node.get_input_partial_shape(0).is_static();
    }
    const std::string_view type = node.get_type_name();
    const bool impure = type.starts_with("Random") || type == "Multinomial" ||
                        type == "ReadValue" || type == "Assign";
    if (impure || node.get_input_size() == 0) return false;
    for (std::size_t i = 0; i < node.get_input_size(); ++i) {
      if (!constants_.contains(node.get_input_node_ptr(i))) return false;
    }
    return true;
  }

  void add_layer(const ov::Node& node) {
    Layer layer{.name = unique(node.get_friendly_name()), .type = node.get_type_name()};
    for (const ov::Input<const ov::Node>& input : node.inputs()) {
      const ov::Node* source = input.get_source_output().get_node();
      layer.inputs.push_back({.type = type_of(input.get_element_type()),
                              .shape = shape_of(input.get_partial_shape()),
                              .constant = constants_.contains(source)});
      const auto producer = index_.find(source);
      layer.producers.push_back(producer == index_.end() ? -1 : producer->second);
    }
    for (const ov::Output<const ov::Node>& output : node.outputs()) {
      layer.outputs.push_back({.type = type_of(output.get_element_type()),
                               .shape = shape_of(output.get_partial_shape())});
    }
    layer.work = count_work(
        layer, hints_of(node, [this](const ov::Model& body) { return work_of_body(body); }));
    index_[&node] = static_cast<int>(graph_.layers.size());
    graph_.layers.push_back(std::move(layer));
  }

  // One execution; unknown as soon as one of its layers is.
  Work work_of_body(const ov::Model& body) const {
    if (depth_ >= kDeepest) return {};
    Graph inner;
    Builder(inner, depth_ + 1).add_layers(body);
    Work sum{.flops = 0, .weight_bytes = 0, .input_bytes = 0, .output_bytes = 0};
    for (const Layer& layer : inner.layers) {
      for (double Work::*part :
           {&Work::flops, &Work::weight_bytes, &Work::input_bytes, &Work::output_bytes}) {
        const bool known = sum.*part >= 0 && layer.work.*part >= 0;
        sum.*part = known ? sum.*part + layer.work.*part : -1;
      }
    }
    return sum;
  }

  // Files may give one name twice; a later one is marked.
  std::string unique(const std::string& name) {
    std::string candidate = name;
    for (int i = 2; !names_.insert(candidate).second; ++i)
      candidate = fmt::format("{}#{}", name, i);
    return candidate;
  }

  static constexpr int kDeepest = 16;

  Graph& graph_;
  const int depth_;
  std::unordered_set<const ov::Node*> constants_;
  std::unordered_map<const ov::Node*, int> index_;
  std::unordered_set<std::string> names_;
};

}  // namespace

std::string name_of_port(const ov::Output<const ov::Node>& port) {
  if (!port.get_names().empty()) return port.get_any_name();
  const ov::Node& node = *port.get_node();
  return ov::op::util::is_output(&node) ? node.get_input_node_ptr(0)->get_friendly_name()
                                        : node.get_friendly_name();
}

Port port_of(const ov::Output<const ov::Node>& port) {
  return {.name = name_of_port(port),
          .type = type_of(port.get_element_type()),
          .shape = shape_of(port.get_partial_shape())};
}

absl::Status add_network(const ov::Model& network, Graph& graph) {
  Builder builder(graph);
  builder.add_layers(network);
  // Ports keep the model's own order.
  for (const auto& parameter : network.get_parameters()) {
    if (parameter->get_partial_shape().rank().is_dynamic()) {
      return base::invalid_argument(
          "input '{}' of model '{}' has no rank: give its shape, as in x[1,3,224,224]",
          name_of_port(parameter->output(0)), graph.path);
    }
    builder.add(*parameter);
  }
  for (const auto& result : network.get_results()) builder.add(*result);
  return absl::OkStatus();
}

}  // namespace tachostat::model

#include "engine/openvino/applied.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace tachostat::engine {
namespace {

std::string info(const ov::Node& node, const std::string& key) {
  const auto found = node.get_rt_info().find(key);
  return found == node.get_rt_info().end() || !found->second.is<std::string>()
             ? std::string()
             : found->second.as<std::string>();
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

int order_of(const ov::Node& node) {
  const std::string text = info(node, "execOrder");
  int order = -1;
  std::from_chars(text.data(), text.data() + text.size(), order);
  return order;
}

// What runs per inference: constants, and what was computed from them alone, ran while compiling.
bool is_executed(const ov::Node& node, std::unordered_set<const ov::Node*>& constants) {
  const std::string type = info(node, "layerType");
  bool constant = type == "Const";
  if (!constant && node.get_input_size() > 0) {
    constant = true;
    for (std::size_t i = 0; i < node.get_input_size(); ++i) {
      constant &= constants.contains(node.get_input_node_ptr(i));
    }
  }
  if (constant) constants.insert(&node);
  return !constant && type != "Input" && type != "Output";
}

model::DataType type_of(const ov::element::Type& type) {
  const std::string name = type.to_string();
  if (name.starts_with("f8")) return model::DataType::kF8;
  return model::data_type_of(name == "boolean" ? "bool" : name);
}

// Of the input with the most elements among the weights or among the activations. Open shapes have
// as many as they have at least.
model::DataType largest_input(const ov::Node& node,
                              const std::unordered_set<const ov::Node*>& constants, bool weights) {
  model::DataType type = model::DataType::kUnknown;
  std::int64_t most = -1;
  for (const ov::Input<const ov::Node>& input : node.inputs()) {
    const ov::Node* source = input.get_source_output().get_node();
    if (constants.contains(source) != weights) continue;
    std::int64_t elements = 1;
    for (const ov::Dimension& dimension : input.get_partial_shape()) {
      elements *= std::max<std::int64_t>(1, dimension.get_min_length());
    }
    if (elements <= most) continue;
    most = elements;
    type = type_of(input.get_element_type());
  }
  return type;
}

model::Shape shape_of(const ov::PartialShape& partial) {
  model::Shape shape;
  if (partial.rank().is_dynamic()) return shape;
  for (const ov::Dimension& dimension : partial) {
    shape.push_back(dimension.is_static() ? dimension.get_length() : model::kDynamic);
  }
  return shape;
}

void add_borders(const ov::Node& node, const std::unordered_set<const ov::Node*>& constants,
                 const std::unordered_map<const ov::Node*, int>& places, AppliedLayer& layer) {
  for (const ov::Input<const ov::Node>& input : node.inputs()) {
    const ov::Node* const source = input.get_source_output().get_node();
    const auto place = places.find(source);
    layer.inputs.push_back({.type = type_of(input.get_element_type()),
                            .shape = shape_of(input.get_partial_shape()),
                            .constant = constants.contains(source),
                            .producer = place == places.end() ? -1 : place->second});
  }
  for (const ov::Output<const ov::Node>& output : node.outputs()) {
    layer.outputs.push_back({.type = type_of(output.get_element_type()),
                             .shape = shape_of(output.get_partial_shape())});
    for (const ov::Input<ov::Node>& reader :
         const_cast<ov::Node&>(node).output(output.get_index()).get_target_inputs()) {
      if (info(*reader.get_node(), "layerType") != "Output") continue;
      layer.answers.push_back(reader.get_node()->get_friendly_name());
    }
  }
}

// Adds the layers whose names are not in `names` yet.
void add_layers(const ov::CompiledModel& stream, std::unordered_set<std::string>& names,
                std::vector<AppliedLayer>& layers) {
  const std::shared_ptr<const ov::Model> runtime = stream.get_runtime_model();
  std::vector<std::shared_ptr<ov::Node>> nodes;
  std::unordered_set<const ov::Node*> constants;
  for (const std::shared_ptr<ov::Node>& node : runtime->get_ordered_ops()) {
    if (is_executed(*node, constants)) nodes.push_back(node);
  }
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto& a, const auto& b) { return order_of(*a) < order_of(*b); });
  // Places in `layers`, of those that are there already by an equal name too.
  std::unordered_map<std::string, int> known;
  for (const AppliedLayer& layer : layers) {
    known.emplace(layer.name, static_cast<int>(known.size()));
  }
  std::unordered_map<const ov::Node*, int> places;
  for (const std::shared_ptr<ov::Node>& node : nodes) {
    places[node.get()] =
        known.emplace(node->get_friendly_name(), static_cast<int>(known.size())).first->second;
  }
  for (const std::shared_ptr<ov::Node>& node : nodes) {
    if (!names.insert(node->get_friendly_name()).second) continue;
    layers.push_back({.name = node->get_friendly_name(),
                      .originals = split(info(*node, "originalLayersNames")),
                      .type = info(*node, "layerType"),
                      .kernel = info(*node, "primitiveType"),
                      .precision = info(*node, "runtimePrecision"),
                      .layout = info(*node, "outputLayouts"),
                      .weight_type = largest_input(*node, constants, true),
                      .input_type = largest_input(*node, constants, false),
                      .output_type = node->get_output_size() == 0
                                         ? model::DataType::kUnknown
                                         : type_of(node->get_output_element_type(0))});
    add_borders(*node, constants, places, layers.back());
  }
}

}  // namespace

Applied read_applied(const std::vector<ov::CompiledModel>& streams) {
  Applied applied;
  applied.streams = static_cast<int>(streams.size());
  applied.precision = streams[0].get_property(ov::hint::inference_precision).to_string();
  for (const ov::CompiledModel& stream : streams) {
    // Devices other than the CPU have no such property: their host thread is the one of ours.
    const std::vector<ov::PropertyName> known = stream.get_property(ov::supported_properties);
    const bool tells =
        std::find(known.begin(), known.end(), ov::inference_num_threads.name()) != known.end();
    applied.threads += tells ? stream.get_property(ov::inference_num_threads) : 1;
  }
  std::unordered_set<std::string> names;
  for (const ov::CompiledModel& stream : streams) add_layers(stream, names, applied.layers);
  return applied;
}

std::unordered_set<std::string> computed_results(const Applied& applied) {
  std::unordered_set<std::string> names;
  for (const AppliedLayer& layer : applied.layers) {
    const AppliedLayer* source = &layer;
    while (source != nullptr && source->type == "Reshape" && !source->inputs.empty()) {
      const int producer = source->inputs[0].producer;
      source = producer < 0 ? nullptr : &applied.layers[static_cast<std::size_t>(producer)];
    }
    if (source != nullptr) names.insert(layer.answers.begin(), layer.answers.end());
  }
  return names;
}

}  // namespace tachostat::engine

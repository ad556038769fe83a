// OpenVINO reads the file; what it read becomes a Graph. Reading through an ov::Core is
// thread-safe, and so is a Core of one's own: one is made per read, which takes about a
// millisecond, against some hundred for a model.
#include <algorithm>
#include <filesystem>
#include <openvino/core/graph_util.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/util/avg_pool_base.hpp>
#include <openvino/op/util/max_pool_base.hpp>
#include <openvino/op/util/op_types.hpp>
#include <openvino/op/util/shape_of_base.hpp>
#include <openvino/openvino.hpp>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/status.h"
#include "model/model.h"
#include "model/openvino/reason.h"
#include "model/work.h"

namespace tachostat::model {
namespace {

namespace fs = std::filesystem;

DataType type_of(const ov::element::Type& type) {
  const std::string name = type.to_string();
  if (name == "boolean") return DataType::kBool;
  if (name.starts_with("f8")) return DataType::kF8;
  return data_type_of(name);
}

// An unknown rank reads as one open dimension.
Shape shape_of(const ov::PartialShape& partial) {
  if (partial.rank().is_dynamic()) return {kDynamic};
  Shape shape;
  for (const ov::Dimension& dimension : partial) {
    shape.push_back(dimension.is_static() ? dimension.get_length() : kDynamic);
  }
  return shape;
}

// Without a name of its own a port is called after its node; an output's node is made up, so after
// the layer before it.
std::string name_of_port(const ov::Output<const ov::Node>& port) {
  if (!port.get_names().empty()) return port.get_any_name();
  const ov::Node& node = *port.get_node();
  return ov::op::util::is_output(&node) ? node.get_input_node_ptr(0)->get_friendly_name()
                                        : node.get_friendly_name();
}

std::string format_of(const fs::path& path) {
  if (fs::is_directory(path)) return "tensorflow";
  static const std::unordered_map<std::string, std::string> formats = {
      {".onnx", "onnx"},           {".xml", "ir"},          {".tflite", "tflite"},
      {".pb", "tensorflow"},       {".meta", "tensorflow"}, {".pdmodel", "paddle"},
      {".json", "paddle"},         {".pt", "pytorch"},      {".pth", "pytorch"},
      {".torchscript", "pytorch"}, {".gguf", "gguf"}};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = formats.find(extension);
  return found == formats.end() ? "unknown" : found->second;
}

// One file hashes as itself. Several (an IR and its weights, a directory): the hash over their
// hashes, in the order of their names.
absl::StatusOr<std::string> hash_of(const fs::path& path) {
  std::vector<fs::path> files = {path};
  if (fs::is_directory(path)) {
    files.clear();
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else if (fs::path weights = path; path.extension() == ".xml") {
    if (fs::exists(weights.replace_extension(".bin"))) files.push_back(weights);
  }
  if (files.size() == 1) return base::sha256_file(files[0].string());
  std::string hashes;
  for (const fs::path& file : files) {
    TS_ASSIGN_OR_RETURN(const std::string hash, base::sha256_file(file.string()));
    hashes += hash;
  }
  return base::sha256(std::string_view(hashes));
}

absl::Status check_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return base::not_found("no model file '{}'", path.string());
  if (fs::is_directory(status)) {
    if (fs::exists(path / "saved_model.pb", error)) return absl::OkStatus();
    return base::invalid_argument(
        "'{}' is a directory without a TensorFlow saved_model.pb: name the model's file",
        path.string());
  }
  if (!fs::is_regular_file(status)) {
    return base::invalid_argument("model '{}' is not a file", path.string());
  }
  if (fs::file_size(path, error) == 0 && !error) {
    return base::invalid_argument("model file '{}' is empty", path.string());
  }
  return absl::OkStatus();
}

absl::Status reshape(ov::Model& network, const InputShapes& shapes) {
  std::map<ov::Output<ov::Node>, ov::PartialShape> wanted;
  for (const auto& [name, shape] : shapes) {
    const auto inputs = network.inputs();
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&name](const auto& candidate) {
      return name_of_port(candidate) == name;
    });
    if (input == inputs.end()) {
      return base::invalid_argument("shapes name input '{}', which the model lacks", name);
    }
    if (!is_static(shape)) {
      return base::invalid_argument("the shape for input '{}' is open: {}", name, to_string(shape));
    }
    const ov::PartialShape asked(std::vector<ov::Dimension>(shape.begin(), shape.end()));
    if (!input->get_partial_shape().compatible(asked)) {
      return base::invalid_argument("input '{}' of the model is {}, so it cannot be {}", name,
                                    to_string(shape_of(input->get_partial_shape())),
                                    to_string(shape));
    }
    wanted[*input] = asked;
  }
  if (!wanted.empty()) network.reshape(wanted);
  return absl::OkStatus();
}

// Identity computes nothing, and OpenVINO cannot infer shapes through it where it carries a shape:
// engines drop it, and so does the graph.
void drop_identities(ov::Model& network) {
  bool dropped = false;
  for (const std::shared_ptr<ov::Node>& node : network.get_ordered_ops()) {
    if (std::string_view(node->get_type_name()) != "Identity") continue;
    dropped |= ov::replace_output_update_name(node->output(0), node->input_value(0));
  }
  if (dropped) network.validate_nodes_and_infer_types();
}

double window_of(const ov::Node& node) {
  if (const auto* pool = dynamic_cast<const ov::op::util::AvgPoolBase*>(&node)) {
    return static_cast<double>(ov::shape_size(pool->get_kernel()));
  }
  if (const auto* pool = dynamic_cast<const ov::op::util::MaxPoolBase*>(&node)) {
    return static_cast<double>(ov::shape_size(pool->get_kernel()));
  }
  const auto* resize = dynamic_cast<const ov::op::util::InterpolateBase*>(&node);
  if (resize == nullptr) return -1;
  using Mode = ov::op::util::InterpolateBase::InterpolateMode;
  const Mode mode = resize->get_attrs().mode;
  if (mode == Mode::NEAREST) return 0;
  const Shape from = shape_of(node.get_input_partial_shape(0));
  const Shape to = shape_of(node.get_output_partial_shape(0));
  if (from.size() != to.size()) return -1;
  const double per_axis = mode == Mode::CUBIC || mode == Mode::BICUBIC_PILLOW ? 4 : 2;
  double taps = 1;
  for (std::size_t i = 0; i < from.size(); ++i) taps *= from[i] == to[i] ? 1 : per_axis;
  return taps;
}

// Fills a Graph from a network, node by node in topological order.
class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  void add(const ov::Node& node) {
    if (ov::op::util::is_parameter(&node)) {
      graph_.inputs.push_back(port(node.output(0)));
    } else if (ov::op::util::is_output(&node)) {
      graph_.outputs.push_back(port(node.output(0)));
    } else if (is_constant(node)) {
      constants_.insert(&node);
    } else {
      add_layer(node);
    }
  }

 private:
  static Port port(const ov::Output<const ov::Node>& output) {
    return {.name = name_of_port(output),
            .type = type_of(output.get_element_type()),
            .shape = shape_of(output.get_partial_shape())};
  }

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
    layer.work = count_work(layer, {.window = window_of(node)});
    index_[&node] = static_cast<int>(graph_.layers.size());
    graph_.layers.push_back(std::move(layer));
  }

  // Files may give one name twice; a later one is marked.
  std::string unique(const std::string& name) {
    std::string candidate = name;
    for (int i = 2; !names_.insert(candidate).second; ++i)
      candidate = fmt::format("{}#{}", name, i);
    return candidate;
  }

  Graph& graph_;
  std::unordered_set<const ov::Node*> constants_;
  std::unordered_map<const ov::Node*, int> index_;
  std::unordered_set<std::string> names_;
};

absl::Status fill(const ov::Model& network, Graph& graph) {
  Builder builder(graph);
  for (const std::shared_ptr<ov::Node>& node : network.get_ordered_ops()) {
    // Ports keep the model's own order, below.
    if (!ov::op::util::is_parameter(node) && !ov::op::util::is_output(node)) builder.add(*node);
  }
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

absl::StatusOr<Graph> read_network(const std::string& path, const InputShapes& shapes) {
  Graph graph;
  graph.path = path;
  graph.name = fs::path(path).stem().string();
  graph.format = format_of(path);
  TS_ASSIGN_OR_RETURN(graph.hash, hash_of(path));
  std::shared_ptr<ov::Model> network;
  try {
    network = ov::Core().read_model(path);
  } catch (const std::exception& error) {
    return base::invalid_argument("'{}' is not a model that can be read: {}", path,
                                  reason_of(error));
  }
  drop_identities(*network);
  TS_RETURN_IF_ERROR(reshape(*network, shapes));
  TS_RETURN_IF_ERROR(fill(*network, graph));
  return graph;
}

}  // namespace

absl::StatusOr<Graph> read(const std::string& path, const InputShapes& shapes) {
  try {
    TS_RETURN_IF_ERROR(check_file(path));
    return read_network(path, shapes);
  } catch (const std::exception& error) {
    return base::invalid_argument("model '{}' with shapes {} cannot be used: {}", path,
                                  to_string(shapes), reason_of(error));
  }
}

}  // namespace tachostat::model

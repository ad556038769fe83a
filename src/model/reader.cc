// OpenVINO reads the file; what it read becomes a Graph. Reading through an ov::Core is
// thread-safe, and so is a Core of one's own: one is made per read, which takes about a
// millisecond, against some hundred for a model.
#include <algorithm>
#include <filesystem>
#include <openvino/core/graph_util.hpp>
#include <openvino/openvino.hpp>
#include <unordered_map>

#include "base/hash.h"
#include "base/status.h"
#include "model/model.h"
#include "model/openvino/hints.h"
#include "model/openvino/network.h"
#include "model/openvino/reason.h"

namespace tachostat::model {
namespace {

namespace fs = std::filesystem;

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
  TS_RETURN_IF_ERROR(add_network(*network, graph));
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

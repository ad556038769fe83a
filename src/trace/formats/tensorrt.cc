// TensorRT: trtexec --exportProfile (times per layer) and --exportLayerInfo (what the layers are).
// Source of the formats: trtexec's sampleReporting.cpp and the engine inspector's chapter of the
// TensorRT developer guide. Names join the two.
#include <simdjson.h>

#include <algorithm>
#include <map>

#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr double kMsToNs = 1e6;

std::string text_of(const object& from, std::string_view member) {
  std::string_view text;
  return from[member].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// -1 when there is no such number, or it is below zero.
double number_of(const object& from, std::string_view member) {
  double number = 0;
  return from[member].get(number) == simdjson::SUCCESS && number >= 0 ? number : -1;
}

// The model's layers in the name of a fused one: "conv1 + relu1", "PWN(gelu)",
// "Reformatting CopyNode for Input Tensor 0 to conv1".
std::vector<std::string> originals_in(std::string_view name) {
  std::vector<std::string> originals;
  if (name.starts_with("Reformatting CopyNode")) return originals;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find(" + "), name.size());
    std::string_view part = name.substr(0, end);
    name.remove_prefix(std::min(name.size(), end + 3));
    if (part.starts_with("PWN(") && part.ends_with(')')) {
      part = part.substr(4, part.size() - 5);
    }
    if (!part.empty()) originals.emplace_back(part);
  }
  return originals;
}

// "[ONNX Layer: conv1]\x1e[ONNX Layer: relu1]": newer versions tell exactly.
std::vector<std::string> originals_in_metadata(std::string_view metadata) {
  constexpr std::string_view kTag = "[ONNX Layer: ";
  std::vector<std::string> originals;
  for (std::size_t at = metadata.find(kTag); at != metadata.npos; at = metadata.find(kTag, at)) {
    at += kTag.size();
    const std::size_t end = metadata.find(']', at);
    if (end == metadata.npos) break;
    originals.emplace_back(metadata.substr(at, end - at));
  }
  return originals;
}

// Of "Row major linear FP16 format" or "Half".
std::string_view precision_in(std::string_view format) {
  while (!format.empty()) {
    const std::size_t end = std::min(format.find_first_of(" .,"), format.size());
    if (const std::string_view found = precision_named(format.substr(0, end)); !found.empty()) {
      return found;
    }
    format.remove_prefix(std::min(format.size(), end + 1));
  }
  return {};
}

struct Tensor {
  double elements = -1;  // -1: an open dimension, or none told
  std::string format = {};
  std::string_view precision = {};
  double bytes() const {
    const int bits = bits_of_precision(precision);
    return elements < 0 || bits == 0 ? -1 : elements * bits / 8;
  }
};

std::vector<Tensor> tensors_of(const object& layer, std::string_view member) {
  std::vector<Tensor> tensors;
  array list;
  if (layer[member].get(list) != simdjson::SUCCESS) return tensors;
  for (const element entry : list) {
    object described;
    Tensor& tensor = tensors.emplace_back();
    if (entry.get(described) != simdjson::SUCCESS) continue;
    tensor.format = text_of(described, "Format/Datatype");
    tensor.precision = precision_in(tensor.format);
    array dimensions;
    if (described["Dimensions"].get(dimensions) != simdjson::SUCCESS) continue;
    tensor.elements = 1;
    for (const element dimension : dimensions) {
      double size = 0;
      if (dimension.get(size) != simdjson::SUCCESS || size < 0) {
        tensor.elements = -1;
        break;
      }
      tensor.elements *= size;
    }
  }
  return tensors;
}

// "Weights": {"Type": "Int8", "Count": 131072}
Tensor constants_of(const object& layer, std::string_view member) {
  object described;
  if (layer[member].get(described) != simdjson::SUCCESS) return {.elements = 0, .precision = "f32"};
  const std::string type = text_of(described, "Type");
  return {.elements = number_of(described, "Count"),
          .format = type,
          .precision = precision_named(type)};
}

void add_work(const object& layer, const std::vector<Tensor>& inputs,
              const std::vector<Tensor>& outputs, LayerRow& row) {
  const Tensor weights = constants_of(layer, "Weights");
  std::vector<Tensor> all = inputs;
  all.insert(all.end(), outputs.begin(), outputs.end());
  all.push_back(weights);
  all.push_back(constants_of(layer, "Bias"));
  double bytes = 0;
  for (const Tensor& tensor : all)
    bytes = tensor.bytes() < 0 || bytes < 0 ? -1 : bytes + tensor.bytes();
  if (!inputs.empty() && !outputs.empty()) row.bytes = bytes;
  // Each output value takes its map's weights once.
  const double maps = number_of(layer, "OutMaps");
  if (text_of(layer, "ParameterType") == "Convolution" && maps > 0 && weights.elements > 0 &&
      !outputs.empty() && outputs[0].elements > 0) {
    row.flops = 2 * outputs[0].elements * weights.elements / maps;
  }
}

LayerRow described(const object& layer) {
  LayerRow row{.name = text_of(layer, "Name"), .type = text_of(layer, "LayerType")};
  // "CaskConvolution" runs what the parameters call "Convolution".
  const std::string parameters = text_of(layer, "ParameterType");
  if (!parameters.empty()) row.type = parameters;
  row.kernel = text_of(layer, "TacticName");
  row.originals = originals_in_metadata(text_of(layer, "Metadata"));
  if (row.originals.empty()) row.originals = originals_in(row.name);
  const std::vector<Tensor> inputs = tensors_of(layer, "Inputs");
  const std::vector<Tensor> outputs = tensors_of(layer, "Outputs");
  for (const Tensor& tensor : outputs) {
    if (row.precision.empty()) row.precision = tensor.precision;
    if (row.layout.empty() && !tensor.precision.empty()) row.layout = tensor.format;
  }
  add_work(layer, inputs, outputs, row);
  return row;
}

// Layers may share a name; rows are joined by it.
class Rows {
 public:
  void add(LayerRow row, Import& import) {
    row.device = "GPU";
    const int times = ++seen_[row.name];
    if (times > 1) row.name += fmt::format(" ({})", times);
    import.layers.push_back(std::move(row));
  }

 private:
  std::map<std::string, int> seen_;
};

absl::StatusOr<Import> read_profile(const array& list, const std::string& file) {
  Import import{.tool = "tensorrt"};
  Rows rows;
  double total_ms = 0;
  std::size_t index = 0;
  for (const element entry : list) {
    object layer;
    if (entry.get(layer) != simdjson::SUCCESS) {
      return base::invalid_argument("{}: entry {}: expected an object", file, index);
    }
    ++index;
    const double count = number_of(layer, "count");
    if (count >= 1 && count < 1e18) import.requests = static_cast<std::uint64_t>(count);
    LayerRow row{.name = text_of(layer, "name")};
    if (row.name.empty()) continue;
    const double average_ms = number_of(layer, "averageMs");
    const double median_ms = number_of(layer, "medianMs");
    const double layer_ms = number_of(layer, "timeMs");
    if (layer_ms < 0 && average_ms < 0) {
      return base::invalid_argument("{}: layer '{}': no \"timeMs\" and no \"averageMs\"", file,
                                    row.name);
    }
    row.originals = originals_in(row.name);
    row.count = std::max<std::uint64_t>(import.requests, 1);
    row.mean_ns =
        (average_ms >= 0 ? average_ms : layer_ms / static_cast<double>(row.count)) * kMsToNs;
    if (median_ms >= 0) row.median_ns = median_ms * kMsToNs;
    total_ms += row.mean_ns;
    rows.add(std::move(row), import);
  }
  if (import.layers.empty()) {
    return base::invalid_argument("{}: no layer with a \"name\" in it", file);
  }
  import.request_mean_ns = total_ms;
  import.notes.emplace_back(
      "TensorRT times layer by layer, which adds to each: their sum is more than an inference "
      "takes");
  return import;
}

absl::StatusOr<Import> read_layers(const object& whole, const std::string& file) {
  array list;
  if (whole["Layers"].get(list) != simdjson::SUCCESS) {
    return base::invalid_argument("{}: no \"Layers\" array: is it trtexec --exportLayerInfo's?",
                                  file);
  }
  Import import{.tool = "tensorrt"};
  Rows rows;
  bool names_only = false;
  for (const element entry : list) {
    object layer;
    std::string_view name;
    if (entry.get(layer) == simdjson::SUCCESS) {
      rows.add(described(layer), import);
    } else if (entry.get(name) == simdjson::SUCCESS) {
      names_only = true;
      rows.add({.name = std::string(name), .originals = originals_in(name)}, import);
    }
  }
  if (import.layers.empty()) return base::invalid_argument("{}: \"Layers\" is empty", file);
  if (names_only) {
    import.notes.emplace_back(
        "only the layers' names are in it: build the engine with --profilingVerbosity=detailed");
  }
  return import;
}

bool recognises(std::string_view start, std::string_view) {
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  if (first == start.npos) return false;
  if (start[first] == '{') {
    return start.find("\"Layers\"") < first + 64 &&
           (start.find("\"LayerType\"") != start.npos || start.find("[\"") != start.npos ||
            start.find("\"Bindings\"") != start.npos);
  }
  return start[first] == '[' && start.find("\"averageMs\"") != start.npos;
}

absl::StatusOr<Import> read(Input& input) {
  TS_ASSIGN_OR_RETURN(const std::string bytes, input.all(kMostBytes));
  simdjson::dom::parser parser;
  element whole;
  if (const auto error = parser.parse(bytes).get(whole); error != simdjson::SUCCESS) {
    return base::invalid_argument("{}: no valid JSON: {}", input.name(),
                                  simdjson::error_message(error));
  }
  array profile;
  object layers;
  if (whole.get(profile) == simdjson::SUCCESS) return read_profile(profile, input.name());
  if (whole.get(layers) == simdjson::SUCCESS) return read_layers(layers, input.name());
  return base::invalid_argument(
      "{}: expected the array of --exportProfile or the object of --exportLayerInfo", input.name());
}

}  // namespace

extern const Importer kTensorRt;
const Importer kTensorRt = {"tensorrt",
                            "TensorRT's trtexec --exportProfile and --exportLayerInfo, best both",
                            recognises, read};

}  // namespace tachostat::trace

// OpenVINO's execution graph: the IR that get_runtime_model() gives, serialized, or benchmark_app's
// -exec_graph_path. Each <layer> has <data> with execTimeMcs (an average in microseconds, or
// "not_executed"), execOrder, originalLayersNames, primitiveType, runtimePrecision and
// outputLayouts, as openvino/runtime/exec_model_info.hpp lists them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <pugixml.hpp>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

// The parsed document takes up to sixteen times the text. Real graphs stay below 10 MB.
constexpr std::size_t kMostBytes = std::size_t{32} << 20;

bool recognises(std::string_view start, std::string_view) {
  return start.find("<net") != start.npos &&
         (start.find("execTimeMcs=") != start.npos || start.find("primitiveType=") != start.npos ||
          start.find("execOrder=") != start.npos);
}

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = trimmed(list.substr(0, comma));
    if (!name.empty()) names.emplace_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

// Bytes of all ports of an <input> or <output>; nothing when one is dynamic or of unknown type.
std::optional<double> port_bytes(const pugi::xml_node& ports) {
  double total = 0;
  for (const pugi::xml_node port : ports.children("port")) {
    const int bits = bits_of_precision(precision_named(port.attribute("precision").value()));
    if (bits == 0) return std::nullopt;
    double bytes = bits / 8.0;
    for (const pugi::xml_node dimension : port.children("dim")) {
      const auto size = number_of(dimension.child_value());
      if (!size || *size < 0) return std::nullopt;
      bytes *= *size;
    }
    total += bytes;
  }
  if (!std::isfinite(total)) return std::nullopt;
  return total;
}

struct Ordered {
  double order = 0;
  LayerRow row;
};

class GraphReader {
 public:
  explicit GraphReader(const std::string& file) : file_(file) {}

  absl::StatusOr<Import> read(const pugi::xml_node& net) {
    Import import{.tool = "openvino", .model = net.attribute("name").value()};
    std::vector<Ordered> rows;
    for (const pugi::xml_node layer : net.child("layers").children("layer")) {
      TS_RETURN_IF_ERROR(add(layer, rows));
    }
    if (attributes_seen_ == 0) {
      return base::invalid_argument(
          "{}: no <layer> has execTimeMcs or execOrder: a plain model, not an execution graph; "
          "write one by benchmark_app -exec_graph_path, or serialize get_runtime_model()",
          file_);
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Ordered& a, const Ordered& b) { return a.order < b.order; });
    for (Ordered& ordered : rows) import.layers.push_back(std::move(ordered.row));
    if (!any_time_) {
      import.notes.push_back(
          "no layer has a time: the graph was written before an inference, or without "
          "PERF_COUNT");
    } else {
      import.notes.push_back(
          "times are averages over an unknown number of inferences, counted as one");
    }
    return import;
  }

 private:
  absl::Status add(const pugi::xml_node& layer, std::vector<Ordered>& rows) {
    LayerRow row;
    row.name = layer.attribute("name").value();
    row.type = layer.attribute("type").value();
    if (row.name.empty()) {
      return base::invalid_argument("{}: <layer id=\"{}\"> has no name", file_,
                                    layer.attribute("id").value());
    }
    const pugi::xml_node data = layer.child("data");
    if (data.attribute("execTimeMcs") || data.attribute("execOrder")) ++attributes_seen_;
    // Weights: never executed, and counted as bytes of the layers that read them.
    if (row.type == "Const") return absl::OkStatus();
    row.originals = names_in(data.attribute("originalLayersNames").value());
    row.kernel = data.attribute("primitiveType").value();
    row.precision = precision_named(data.attribute("runtimePrecision").value());
    row.layout = data.attribute("outputLayouts").value();
    const auto in = port_bytes(layer.child("input"));
    const auto out = port_bytes(layer.child("output"));
    if (in && out && *in + *out > 0) row.bytes = *in + *out;
    TS_RETURN_IF_ERROR(add_time(data.attribute("execTimeMcs"), row));
    double order = static_cast<double>(rows.size());
    if (const pugi::xml_attribute given = data.attribute("execOrder")) {
      const auto number = number_of(given.value());
      if (!number) return wrong(row, "execOrder", given.value(), "a number");
      order = *number;
    }
    rows.push_back({order, std::move(row)});
    return absl::OkStatus();
  }

  absl::Status add_time(const pugi::xml_attribute& time, LayerRow& row) {
    const std::string_view text = trimmed(time.value());
    if (text.empty() || text == "not_executed") return absl::OkStatus();
    const auto ns = duration_ns_of(text, 1e3);
    if (!ns || *ns < 0) return wrong(row, "execTimeMcs", text, "microseconds or \"not_executed\"");
    row.count = 1;
    row.mean_ns = *ns;
    any_time_ = true;
    return absl::OkStatus();
  }

  absl::Status wrong(const LayerRow& row, std::string_view attribute, std::string_view found,
                     std::string_view expected) const {
    return base::invalid_argument("{}: layer '{}': {} is \"{}\", expected {}", file_, row.name,
                                  attribute, found, expected);
  }

  const std::string& file_;
  std::size_t attributes_seen_ = 0;
  bool any_time_ = false;
};

absl::StatusOr<Import> read(Input& input) {
  TS_ASSIGN_OR_RETURN(std::string text, input.all(kMostBytes));
  pugi::xml_document document;
  // No document type, no processing instructions; pugixml never follows external entities.
  const pugi::xml_parse_result parsed =
      document.load_buffer_inplace(text.data(), text.size(), pugi::parse_default);
  if (!parsed) {
    return base::invalid_argument("{}: not XML at byte {}: {}", input.name(), parsed.offset,
                                  parsed.description());
  }
  const pugi::xml_node net = document.child("net");
  if (!net) {
    return base::invalid_argument("{}: the root element is <{}>, expected <net>", input.name(),
                                  document.document_element().name());
  }
  return GraphReader(input.name()).read(net);
}

}  // namespace

extern const Importer kOpenvinoGraph;
const Importer kOpenvinoGraph = {
    "openvino-graph",
    "OpenVINO's execution graph: benchmark_app -exec_graph_path, or get_runtime_model() serialized",
    recognises, read};

}  // namespace tachostat::trace

// ONNX Runtime's profile: Chrome's trace events as a bare array, one per node and run.
// Source of the format: the files that ONNX Runtime 1.32 writes, and its core/common/profiler.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/json_events.h"
#include "trace/formats/timeline.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

constexpr std::string_view kKernelTime = "_kernel_time";

// Args of a node that are levels or sizes: averaged over its runs.
constexpr std::array<std::string_view, 4> kSizes = {"parameter_size", "activation_size",
                                                    "output_size", "mem_in_use_delta"};

struct Node {
  LayerRow row = {};
  std::uint64_t runs = 0;
  std::map<std::string, double> sums = {};
};

class OrtReader {
 public:
  void add(const JsonEvent& event) {
    if (event.phase != "X") return;
    if (!event.begin_ns || !event.duration_ns) {
      ++timeline.left_out;
    } else if (event.category == "Node") {
      add_node(event);
    } else if (event.category == "Session") {
      add_session(event);
    } else if (event.category == "Kernel") {  // of a GPU's execution provider
      add_span(event, event.name, Kind::kPrimitive);
    } else {
      add_span(event, event.name, Kind::kOther);
    }
  }

  Import finish() {
    // Nodes inside a node are those of If, Loop and Scan: their parent is the layer.
    std::vector<Span>& spans = timeline.spans();
    std::vector<bool> in_layer(spans.size());
    walk_nesting(spans, timeline.in_order(), [&](std::uint32_t index, std::uint32_t parent) {
      if (parent == Timeline::kNone) return;
      in_layer[index] = in_layer[parent] || spans[parent].kind == Kind::kLayer;
      if (in_layer[index] && spans[index].kind == Kind::kLayer) {
        spans[index].kind = Kind::kOperator;
      }
    });
    Import import{.tool = "onnxruntime"};
    for (Node& node : nodes_) {
      for (const auto& [metric, sum] : node.sums) {
        node.row.metrics[metric] = sum / static_cast<double>(node.runs);
      }
      node.row.bytes = bytes_of(node.row);
      import.layers.push_back(std::move(node.row));
    }
    import.trace = timeline.finish(import.notes);
    return import;
  }

  Timeline timeline;

 private:
  std::uint32_t line_of(const JsonEvent& event) {
    return timeline.line(fmt::format("thread {}", event.tid));
  }

  void add_span(const JsonEvent& event, std::string_view name, Kind kind) {
    timeline.add(timeline.name(name), line_of(event), *event.begin_ns, *event.duration_ns, kind);
  }

  void add_session(const JsonEvent& event) {
    add_span(event, event.name, event.name == "model_run" ? Kind::kRequest : Kind::kStage);
  }

  void add_node(const JsonEvent& event) {
    std::string_view name = event.name;
    // Older versions time the fences around a node too.
    if (!name.ends_with(kKernelTime)) {
      add_span(event, name, Kind::kOther);
      return;
    }
    name.remove_suffix(kKernelTime.size());
    LayerRow facts{.name = std::string(name)};
    std::map<std::string, double> sizes;
    std::string index;
    args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
      if (key == "node_index") {
        index = JsonArgs::string(value);
      } else if (key == "op_name") {
        facts.type = JsonArgs::string(value);
      } else if (key == "provider") {
        facts.device = JsonArgs::string(value);
      } else if (key == "input_type_shape" || key == "output_type_shape") {
        const std::string shapes = JsonArgs::compact(value);
        if (key == "input_type_shape") facts.precision = precision_in(shapes);
      } else if (key == "thread_scheduling_stats") {
        add_scheduling(value, sizes);
      } else if (std::find(kSizes.begin(), kSizes.end(), key) != kSizes.end()) {
        if (const auto number = JsonArgs::number(value)) sizes[std::string(key)] = *number;
      }
    });
    Node& node = node_of(std::move(facts), index);
    ++node.runs;
    for (const auto& [metric, number] : sizes) node.sums[metric] += number;
    add_span(event, node.row.name, Kind::kLayer);
  }

  // Nodes that the optimizer adds share a name: all but the first are told apart by their index.
  Node& node_of(LayerRow facts, const std::string& index) {
    const auto [known, added] = by_key_.try_emplace({facts.name, index}, nodes_.size());
    if (!added) return nodes_[known->second];
    if (!names_.insert(facts.name).second) {
      facts.name = fmt::format("{} (node {})", facts.name, index);
    }
    nodes_.push_back({.row = std::move(facts)});
    return nodes_.back();
  }

  // The type of the first input: [{"float":[1,3,48,192]},…].
  static std::string precision_in(std::string_view shapes) {
    const std::size_t begin = shapes.find('"');
    if (begin == shapes.npos) return {};
    return std::string(
        precision_named(shapes.substr(begin + 1, shapes.find('"', begin + 1) - begin - 1)));
  }

  // {"main_thread": {"Run": µs, "Wait": µs, …}, "sub_threads": {…}}
  static void add_scheduling(JsonArgs::Value& value, std::map<std::string, double>& sizes) {
    simdjson::ondemand::object object;
    simdjson::ondemand::object main;
    if (value.get_object().get(object)) return;
    for (auto field : object) {
      std::string_view key;
      simdjson::ondemand::value inner;
      if (field.unescaped_key().get(key) || field.value().get(inner)) return;
      if (key != "main_thread" || inner.get_object().get(main)) continue;
      for (auto member : main) {
        simdjson::ondemand::value number;
        if (member.unescaped_key().get(key) || member.value().get(number)) return;
        if (key != "Run" && key != "Wait" && key != "Distribution") continue;
        const std::string metric = fmt::format("main_thread.{}", key);
        if (const auto time = JsonArgs::number(number)) sizes[metric] = *time;
      }
      return;
    }
  }

  // Inputs are activation_size, weights parameter_size; all in bytes.
  static double bytes_of(const LayerRow& row) {
    double bytes = 0;
    for (const char* part : {"parameter_size", "activation_size", "output_size"}) {
      const auto size = row.metrics.find(part);
      if (size == row.metrics.end() || size->second < 0) return -1;
      bytes += size->second;
    }
    return bytes;
  }

  JsonArgs args_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::string, std::string>, std::size_t> by_key_;  // name and index
  std::set<std::string> names_;
};

bool recognises(std::string_view start, std::string_view) {
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  if (first == start.npos || start[first] != '[') return false;
  return start.find("model_loading") != start.npos ||
         start.find("\"session_initialization\"") != start.npos ||
         start.find("_kernel_time\"") != start.npos ||
         start.find("\"SequentialExecutor::Execute\"") != start.npos;
}

absl::StatusOr<Import> read(Input& input) {
  JsonEvents json(input);
  OrtReader reader;
  TS_RETURN_IF_ERROR(json.each([&](const JsonEvent& event) { reader.add(event); }));
  reader.timeline.left_out += json.invalid();
  return reader.finish();
}

}  // namespace

extern const Importer kOnnxRuntime;
const Importer kOnnxRuntime = {
    "onnxruntime", "ONNX Runtime's profile, SessionOptions.enable_profiling", recognises, read};

}  // namespace tachostat::trace

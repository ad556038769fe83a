#include "engine/openvino/compile.h"

#include <algorithm>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"

namespace tachostat::engine {
namespace {

absl::Status check_same_inputs(const ov::Model& network, const model::Graph& graph) {
  bool same = network.inputs().size() == graph.inputs.size() &&
              network.outputs().size() == graph.outputs.size();
  for (std::size_t i = 0; same && i < graph.inputs.size(); ++i) {
    const std::unordered_set<std::string>& names = network.input(i).get_names();
    same = names.empty() || names.contains(graph.inputs[i].name);
  }
  if (same) return absl::OkStatus();
  return base::invalid_argument(
      "the file '{}' no longer has the inputs and outputs that were read from it: read it again",
      graph.path);
}

ov::PartialShape shape_of(const AcceptedInput& input) {
  std::vector<ov::Dimension> dimensions(input.port.shape.begin(), input.port.shape.end());
  if (input.most_rows >= 0) dimensions[0] = ov::Dimension(1, input.most_rows);
  return ov::PartialShape(dimensions);
}

absl::Status check_batch_reaches_outputs(const ov::Model& network, const model::Graph& graph) {
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const ov::PartialShape& shape = network.outputs()[i].get_partial_shape();
    if (shape.rank().is_dynamic() || (shape.size() > 0 && shape[0].is_dynamic())) continue;
    return base::invalid_argument(
        "model '{}' cannot join requests: its output '{}' does not grow with axis 0 of the inputs; "
        "use batch 1",
        graph.name, graph.outputs[i].name);
  }
  return absl::OkStatus();
}

ov::AnyMap properties_of(const model::Variant& variant, int threads) {
  ov::AnyMap properties;
  if (variant.precision != model::Precision::kDefault) {
    properties.insert(
        ov::hint::inference_precision(ov::element::Type(std::string(name_of(variant.precision)))));
  }
  if (variant.device != "CPU") return properties;
  properties.insert(ov::num_streams(1));
  properties.insert(ov::hint::enable_cpu_pinning(variant.pinning));
  if (threads > 0) {
    properties.insert(ov::inference_num_threads(threads));
    // Else OpenVINO caps the number at the physical cores in silence.
    properties.insert(ov::hint::enable_hyper_threading(true));
  }
  return properties;
}

// How many streams OpenVINO would use itself for throughput.
int chosen_streams(ov::Core& core, const std::shared_ptr<ov::Model>& network,
                   const model::Variant& variant) {
  ov::AnyMap properties = properties_of(variant, variant.threads);
  properties.erase(ov::num_streams.name());
  properties.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::THROUGHPUT));
  const ov::CompiledModel compiled = core.compile_model(network, variant.device, properties);
  return std::max(1, compiled.get_property(ov::num_streams).num);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ov::Model>> shaped_network(
    ov::Core& core, const model::Graph& graph, const std::vector<AcceptedInput>& accepted,
    const model::Recipe& recipe) {
  std::shared_ptr<ov::Model> network = core.read_model(graph.path);
  TS_RETURN_IF_ERROR(check_same_inputs(*network, graph));
  std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
  bool joins = false;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    const ov::Output<ov::Node> input = network->input(i);
    const ov::PartialShape wanted = shape_of(accepted[i]);
    joins |= accepted[i].most_rows >= 0;
    if (input.get_partial_shape() != wanted) shapes[input] = wanted;
  }
  if (!shapes.empty()) network->reshape(shapes);
  if (joins) TS_RETURN_IF_ERROR(check_batch_reaches_outputs(*network, graph));
  TS_RETURN_IF_ERROR(apply_recipe(*network, recipe));
  return through_file(core, network);
}

absl::StatusOr<std::vector<ov::CompiledModel>> compile_streams(
    ov::Core& core, const std::shared_ptr<ov::Model>& network, const model::Variant& variant,
    int hardware_threads) {
  const int streams =
      variant.streams > 0 ? variant.streams : chosen_streams(core, network, variant);
  if (variant.threads > 0 && variant.threads < streams) {
    return base::invalid_argument("{} threads cannot feed {} streams: give at least one each",
                                  variant.threads, streams);
  }
  if (variant.pinning && streams > 1) {
    return base::invalid_argument(
        "{} pinned streams would all be pinned to the same cores: use one stream, or no pinning",
        streams);
  }
  int threads = variant.threads;
  if (threads == 0 && streams > 1) threads = std::max(streams, hardware_threads);
  std::vector<ov::CompiledModel> compiled;
  for (int i = 0; i < streams; ++i) {
    const int share = threads / streams + (i < threads % streams ? 1 : 0);
    compiled.push_back(core.compile_model(network, variant.device, properties_of(variant, share)));
  }
  return compiled;
}

}  // namespace tachostat::engine

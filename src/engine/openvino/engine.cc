#include <fmt/ranges.h>

#include <algorithm>
#include <openvino/openvino.hpp>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"
#include "engine/inputs.h"
#include "engine/openvino/applied.h"
#include "engine/openvino/compile.h"
#include "engine/openvino/kernels.h"
#include "engine/openvino/memory.h"
#include "engine/openvino/openvino.h"
#include "engine/openvino/passes/channels.h"
#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/session.h"
#include "model/openvino/network.h"
#include "model/openvino/reason.h"

namespace tachostat::engine {
namespace {

Capabilities read_capabilities(ov::Core& core) {
  Capabilities capabilities;
  capabilities.version = ov::get_openvino_version().buildNumber;
  capabilities.devices = core.get_available_devices();
  capabilities.precisions = {model::Precision::kF32};
  const auto& devices = capabilities.devices;
  if (std::find(devices.begin(), devices.end(), "CPU") != devices.end()) {
    const auto native = core.get_property("CPU", ov::device::capabilities);
    const auto computes = [&native](const char* precision) {
      return std::find(native.begin(), native.end(), precision) != native.end();
    };
    if (computes(ov::device::capability::BF16)) {
      capabilities.precisions.push_back(model::Precision::kBF16);
    }
    if (computes(ov::device::capability::FP16)) {
      capabilities.precisions.push_back(model::Precision::kF16);
    }
  }
  // The processors that this process may run on.
  capabilities.hardware_threads =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return capabilities;
}

absl::Status check_types(const model::Graph& graph) {
  for (const std::vector<model::Port>* ports : {&graph.inputs, &graph.outputs}) {
    for (const model::Port& port : *ports) {
      if (model::bits_of(port.type) > 0) continue;
      return base::invalid_argument("'{}' of model '{}' is of type {}, which openvino cannot serve",
                                    port.name, graph.name, model::name_of(port.type));
    }
  }
  return absl::OkStatus();
}

// The graph's, and those that a recipe adds.
std::vector<model::Port> output_ports(const model::Graph& graph,
                                      const ov::CompiledModel& compiled) {
  std::vector<model::Port> ports = graph.outputs;
  for (std::size_t i = ports.size(); i < compiled.outputs().size(); ++i) {
    ports.push_back(model::port_of(compiled.output(i)));
    // An added output bears the name of its own node, not of the tensor that it shows.
    ports.back().name = compiled.output(i).get_node()->get_friendly_name();
  }
  return ports;
}

class OpenvinoEngine final : public Engine {
 public:
  OpenvinoEngine() : capabilities_(read_capabilities(core_)) {}

  std::string_view name() const override { return "openvino"; }
  const Capabilities& capabilities() const override { return capabilities_; }

  absl::StatusOr<std::unique_ptr<Session>> load(const model::Graph& graph,
                                                const model::Variant& variant,
                                                Observer* observer) override {
    TS_RETURN_IF_ERROR(check(graph, variant));
    try {
      return load_checked(graph, variant, observer);
    } catch (const std::exception& error) {
      return base::failed_precondition("openvino cannot load {} of '{}': {}", variant.id(),
                                       graph.path, model::reason_of(error));
    }
  }

  absl::StatusOr<std::vector<model::Rewrite>> rewrites(const model::Graph& graph,
                                                       const model::InputShapes& shapes) override {
    TS_ASSIGN_OR_RETURN(const auto network, network_of(graph, shapes, {}));
    try {
      return find_rewrites(*network);
    } catch (const std::exception& error) {
      return base::internal("openvino cannot rewrite '{}': {}", graph.path,
                            model::reason_of(error));
    }
  }

  absl::StatusOr<model::Graph> rewritten(const model::Graph& graph,
                                         const model::InputShapes& shapes,
                                         const model::Recipe& recipe) override {
    TS_ASSIGN_OR_RETURN(const auto network, network_of(graph, shapes, recipe));
    model::Graph after{.name = graph.name,
                       .path = graph.path,
                       .hash = graph.hash,
                       .format = graph.format,
                       .inputs = {},
                       .outputs = {},
                       .layers = {}};
    TS_RETURN_IF_ERROR(model::add_network(*network, after));
    return after;
  }

  std::vector<model::Kernels> kernel_choices(const model::Graph& graph,
                                             const Applied& applied) override {
    return engine::kernel_choices(graph, applied);
  }

  absl::StatusOr<std::vector<model::ChannelGroup>> channel_groups(
      const model::Graph& graph, const model::InputShapes& shapes,
      const model::Recipe& recipe) override {
    TS_ASSIGN_OR_RETURN(const auto network, network_of(graph, shapes, recipe));
    try {
      return find_channel_groups(*network);
    } catch (const std::exception& error) {
      return base::internal("openvino cannot tell the channels of '{}': {}", graph.path,
                            model::reason_of(error));
    }
  }

 private:
  absl::StatusOr<std::shared_ptr<ov::Model>> network_of(const model::Graph& graph,
                                                        const model::InputShapes& shapes,
                                                        const model::Recipe& recipe) {
    const model::Variant variant{.shapes = shapes, .recipe = recipe};
    try {
      TS_ASSIGN_OR_RETURN(const auto accepted, accepted_inputs(graph, variant));
      return shaped_network(core_, graph, accepted, recipe);
    } catch (const std::exception& error) {
      return base::failed_precondition("openvino cannot apply {} to '{}': {}", variant.id(),
                                       graph.path, model::reason_of(error));
    }
  }

  absl::Status check(const model::Graph& graph, const model::Variant& variant) const {
    if (variant.engine != name()) {
      return base::invalid_argument("variant '{}' is for engine '{}', not for openvino",
                                    variant.id(), variant.engine);
    }
    const auto& devices = capabilities_.devices;
    if (std::find(devices.begin(), devices.end(), variant.device) == devices.end()) {
      return base::not_found("no device '{}': openvino finds {}", variant.device,
                             fmt::join(devices, ", "));
    }
    if (variant.threads < 0 || variant.streams < 0 || variant.batch < 1) {
      return base::invalid_argument(
          "variant '{}' needs threads and streams of 0 or more and a batch of 1 or more",
          variant.id());
    }
    return check_types(graph);
  }

  absl::StatusOr<std::unique_ptr<Session>> load_checked(const model::Graph& graph,
                                                        const model::Variant& variant,
                                                        Observer* observer) {
    // One at a time: compiling uses every core anyway, and the heap's growth is then this load's.
    base::MutexLock lock(loading_);
    const std::uint64_t heap_before = heap_in_use();
    OpenvinoSession::Parts parts{.variant = variant, .accepted = {}, .applied = {}, .streams = {}};
    TS_ASSIGN_OR_RETURN(parts.accepted, accepted_inputs(graph, variant));
    TS_ASSIGN_OR_RETURN(std::vector<ov::CompiledModel> compiled,
                        compile(graph, variant, parts.accepted));
    parts.applied = read_applied(compiled);
    const std::vector<model::Port> outputs = output_ports(graph, compiled[0]);
    const std::unordered_set<std::string> computed = computed_results(parts.applied);
    for (ov::CompiledModel& stream : compiled) {
      parts.streams.push_back(std::make_unique<Stream>(stream, outputs, computed));
    }
    const std::uint64_t heap_after = heap_in_use();
    parts.memory_bytes = heap_after > heap_before ? heap_after - heap_before : 0;
    parts.observer = observer;
    return std::make_unique<OpenvinoSession>(std::move(parts));
  }

  absl::StatusOr<std::vector<ov::CompiledModel>> compile(
      const model::Graph& graph, const model::Variant& variant,
      const std::vector<AcceptedInput>& accepted) {
    TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Model> network,
                        shaped_network(core_, graph, accepted, variant.recipe));
    return compile_streams(core_, network, variant, capabilities_.hardware_threads);
  }

  ov::Core core_;
  const Capabilities capabilities_;
  base::Mutex loading_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> make_openvino() {
  try {
    auto engine = std::make_unique<OpenvinoEngine>();
    if (engine->capabilities().devices.empty()) {
      return base::unavailable("openvino finds no device on this machine");
    }
    return engine;
  } catch (const std::exception& error) {
    return base::unavailable("openvino cannot start: {}", model::reason_of(error));
  }
}

}  // namespace tachostat::engine

#include "optimize/calibrate.h"

#include <algorithm>
#include <cstring>
#include <latch>

#include "base/status.h"

namespace tachostat::optimize {
namespace {

constexpr std::size_t kLeastSamples = 8;  // of a group, however large

struct Place {
  model::Edge edge;
  std::string source;
  bool channels_last = false;
};

// Around matrix products, unlike around convolutions.
bool has_channels_last(const model::Graph& graph, const model::Edge& edge) {
  const int index = graph.find_layer(edge.layer);
  if (index < 0) return false;
  const model::Layer& reader = graph.layers[static_cast<std::size_t>(index)];
  const int producer = reader.producers[static_cast<std::size_t>(edge.input)];
  return reader.type == "MatMul" ||
         (producer >= 0 && graph.layers[static_cast<std::size_t>(producer)].type == "MatMul");
}

// Edges with the same source are looked at once.
std::vector<Place> places_of(const model::Graph& graph, const std::vector<model::Edge>& edges) {
  std::vector<Place> places;
  std::map<std::string, bool> seen;
  for (const model::Edge& edge : edges) {
    std::string source = source_of(graph, edge);
    if (!seen.emplace(source, true).second) continue;
    places.push_back({edge, std::move(source), has_channels_last(graph, edge)});
  }
  return places;
}

// Of one sample, as far as the graph knows shapes; open dimensions count as 64.
std::size_t bytes_of(const model::Graph& graph, const model::Edge& edge) {
  const int index = graph.find_layer(edge.layer);
  if (index < 0) return 0;
  const model::Layer& layer = graph.layers[static_cast<std::size_t>(index)];
  std::size_t elements = 1;
  for (const std::int64_t dimension : layer.inputs[static_cast<std::size_t>(edge.input)].shape) {
    elements *= static_cast<std::size_t>(dimension < 0 ? 64 : std::max<std::int64_t>(1, dimension));
  }
  return elements * sizeof(float);
}

// Looked at together.
struct Group {
  std::vector<Place> places = {};
  std::size_t bytes = 0;    // of one sample
  std::size_t samples = 0;  // to be looked at
};

std::vector<Group> grouped(const model::Graph& graph, std::vector<Place> places,
                           std::size_t samples, const CalibrateOptions& options) {
  std::vector<Group> groups;
  for (Place& place : places) {
    const std::size_t more = bytes_of(graph, place.edge);
    if (groups.empty() || groups.back().bytes + more > options.group_bytes) groups.emplace_back();
    groups.back().bytes += more;
    groups.back().places.push_back(std::move(place));
  }
  for (Group& group : groups) {
    const std::size_t most = options.looked_at_bytes / std::max<std::size_t>(1, group.bytes);
    group.samples = std::min(samples, std::max(kLeastSamples, most));
  }
  return groups;
}

absl::StatusOr<std::unique_ptr<engine::Session>> load_exposed(engine::Engine& engine,
                                                              const model::Graph& graph,
                                                              model::Variant variant,
                                                              const std::vector<Place>& group) {
  model::Expose expose;
  for (const Place& place : group) expose.edges.push_back(place.edge);
  std::vector<model::Recipe::Step> steps(variant.recipe.steps().begin(),
                                         variant.recipe.steps().end());
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(expose));
  steps.push_back(std::move(step));
  TS_ASSIGN_OR_RETURN(variant.recipe, model::Recipe::Create("calibration", std::move(steps)));
  return engine.load(graph, variant, nullptr);
}

class Looking {
 public:
  Looking(const model::Graph& graph, const Samples& samples, const CalibrateOptions& options,
          const Look& look, std::size_t steps)
      : graph_(graph), samples_(samples), options_(options), look_(look), steps_(steps) {}

  absl::Status at(engine::Session& session, const Group& group) {
    for (std::size_t i = 0; i < group.samples; ++i) {
      if (options_.progress && !options_.progress(done_++, steps_)) {
        return absl::CancelledError("calibration was stopped");
      }
      TS_ASSIGN_OR_RETURN(std::vector<engine::Tensor> inputs, samples_.at(i));
      TS_ASSIGN_OR_RETURN(const std::vector<engine::Tensor> outputs,
                          infer(session, std::move(inputs)));
      TS_RETURN_IF_ERROR(show(outputs, group.places));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status show(const std::vector<engine::Tensor>& outputs, const std::vector<Place>& group) {
    const std::size_t own = graph_.outputs.size();
    if (outputs.size() != own + group.size()) {
      return base::internal("engine gave {} outputs, expected {} and {} exposed", outputs.size(),
                            own, group.size());
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      const engine::Tensor& tensor = outputs[own + i];
      if (tensor.type != model::DataType::kF32) {
        return base::internal("exposed tensor '{}' is {}, expected f32", tensor.name,
                              model::name_of(tensor.type));
      }
      const std::span<const float> values(reinterpret_cast<const float*>(tensor.data.data()),
                                          tensor.data.size() / sizeof(float));
      look_(group[i].source, values, tensor.shape, group[i].channels_last);
    }
    return absl::OkStatus();
  }

  const model::Graph& graph_;
  const Samples& samples_;
  const CalibrateOptions& options_;
  const Look& look_;
  const std::size_t steps_;
  std::size_t done_ = 0;
};

}  // namespace

std::string source_of(const model::Graph& graph, const model::Edge& edge) {
  const int index = graph.find_layer(edge.layer);
  if (index >= 0) {
    const model::Layer& layer = graph.layers[static_cast<std::size_t>(index)];
    const int producer = layer.producers[static_cast<std::size_t>(edge.input)];
    const bool single =
        producer >= 0 && graph.layers[static_cast<std::size_t>(producer)].outputs.size() == 1;
    if (single) return graph.layers[static_cast<std::size_t>(producer)].name;
  }
  return model::exposed_name(edge);
}

absl::StatusOr<std::vector<engine::Tensor>> infer(engine::Session& session,
                                                  std::vector<engine::Tensor> inputs) {
  absl::StatusOr<std::vector<engine::Tensor>> result = absl::UnknownError("no completion");
  std::latch done(1);
  session.infer(std::move(inputs), [&](absl::StatusOr<std::vector<engine::Tensor>> outputs) {
    result = std::move(outputs);
    done.count_down();
  });
  done.wait();
  return result;
}

absl::Status look_at(engine::Engine& engine, const model::Graph& graph,
                     const std::vector<model::Edge>& edges, const Samples& samples,
                     const CalibrateOptions& options, const Look& look) {
  if (samples.count == 0) return base::invalid_argument("calibration needs at least one sample");
  const model::Graph& shaped = options.shaped != nullptr ? *options.shaped : graph;
  const auto groups = grouped(shaped, places_of(shaped, edges), samples.count, options);
  std::size_t steps = 0;
  for (const Group& group : groups) steps += group.samples;
  Looking looking(graph, samples, options, look, steps);
  for (const Group& group : groups) {
    TS_ASSIGN_OR_RETURN(const auto session,
                        load_exposed(engine, graph, options.variant, group.places));
    TS_RETURN_IF_ERROR(looking.at(*session, group));
  }
  return absl::OkStatus();
}

absl::StatusOr<Calibration> calibrate(engine::Engine& engine, const model::Graph& graph,
                                      const std::vector<model::Edge>& edges, const Samples& samples,
                                      const CalibrateOptions& options) {
  Calibration found;
  const auto look = [&found](const std::string& source, std::span<const float> values,
                             const model::Shape& shape, bool channels_last) {
    found[source].add(values, shape, channels_last);
  };
  TS_RETURN_IF_ERROR(look_at(engine, graph, edges, samples, options, look));
  return found;
}

}  // namespace tachostat::optimize

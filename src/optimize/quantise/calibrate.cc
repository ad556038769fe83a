#include "optimize/quantise/calibrate.h"

#include <algorithm>
#include <cstring>
#include <latch>

#include "base/status.h"
#include "optimize/quantise/places.h"

namespace tachostat::optimize {
namespace {

// Samples whose values are counted in bins.
constexpr std::size_t kMostCounted = 32;

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

std::vector<std::vector<Place>> grouped(const model::Graph& graph, std::vector<Place> places,
                                        std::size_t group_bytes) {
  std::vector<std::vector<Place>> groups;
  std::size_t bytes = 0;
  for (Place& place : places) {
    const std::size_t more = bytes_of(graph, place.edge);
    if (groups.empty() || bytes + more > group_bytes) {
      groups.emplace_back();
      bytes = 0;
    }
    bytes += more;
    groups.back().push_back(std::move(place));
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

class Calibrator {
 public:
  Calibrator(const model::Graph& graph, const Samples& samples, const CalibrateOptions& options,
             std::size_t steps)
      : graph_(graph), samples_(samples), options_(options), steps_(steps) {}

  absl::Status look(engine::Session& session, const std::vector<Place>& group, bool counting) {
    const std::size_t count = counting ? std::min(samples_.count, kMostCounted) : samples_.count;
    for (std::size_t i = 0; i < count; ++i) {
      if (options_.progress && !options_.progress(done_++, steps_)) {
        return absl::CancelledError("calibration was stopped");
      }
      TS_ASSIGN_OR_RETURN(std::vector<engine::Tensor> inputs, samples_.at(i));
      TS_ASSIGN_OR_RETURN(const std::vector<engine::Tensor> outputs,
                          infer(session, std::move(inputs)));
      TS_RETURN_IF_ERROR(add(outputs, group, counting));
    }
    return absl::OkStatus();
  }

  Calibration take() { return std::move(found_); }

 private:
  absl::Status add(const std::vector<engine::Tensor>& outputs, const std::vector<Place>& group,
                   bool counting) {
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
      TensorStatistics& statistics = found_[group[i].source];
      if (counting) {
        statistics.count(values);
      } else {
        statistics.add(values, tensor.shape, group[i].channels_last);
      }
    }
    return absl::OkStatus();
  }

  const model::Graph& graph_;
  const Samples& samples_;
  const CalibrateOptions& options_;
  const std::size_t steps_;
  std::size_t done_ = 0;
  Calibration found_;
};

}  // namespace

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

absl::StatusOr<Calibration> calibrate(engine::Engine& engine, const model::Graph& graph,
                                      const std::vector<model::Edge>& edges, const Samples& samples,
                                      const CalibrateOptions& options) {
  if (samples.count == 0) return base::invalid_argument("calibration needs at least one sample");
  const auto groups = grouped(graph, places_of(graph, edges), options.group_bytes);
  const std::size_t looks = options.histograms ? 2 : 1;
  const std::size_t steps =
      samples.count + (options.histograms ? std::min(samples.count, kMostCounted) : 0);
  Calibrator calibrator(graph, samples, options, groups.size() * steps);
  for (const std::vector<Place>& group : groups) {
    TS_ASSIGN_OR_RETURN(const auto session, load_exposed(engine, graph, options.variant, group));
    for (std::size_t look = 0; look < looks; ++look) {
      TS_RETURN_IF_ERROR(calibrator.look(*session, group, look == 1));
    }
  }
  return calibrator.take();
}

}  // namespace tachostat::optimize

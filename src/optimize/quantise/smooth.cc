#include "optimize/quantise/smooth.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/status.h"

namespace tachostat::optimize {
namespace {

std::vector<float> largest_of(const TensorStatistics& statistics) {
  std::vector<float> largest;
  for (std::size_t c = 0; c < statistics.channel_low().size(); ++c) {
    largest.push_back(
        std::max(std::abs(statistics.channel_low()[c]), std::abs(statistics.channel_high()[c])));
  }
  return largest;
}

bool fits(const model::Graph& graph, const Switch& product) {
  const model::Layer& layer = graph.layers[static_cast<std::size_t>(product.layer)];
  return product.kind == Switch::Kind::kProduct && product.weights.size() == 1 &&
         product.activations.size() == 1 && product.activations[0] == model::Edge{layer.name, 0};
}

}  // namespace

absl::StatusOr<Smoothing> smoothing_of(engine::Engine& engine, const model::Graph& declared,
                                       const model::Graph& graph,
                                       const std::vector<Switch>& switches,
                                       const std::vector<bool>& placement,
                                       const Calibration& calibration, const Samples& samples,
                                       const CalibrateOptions& options) {
  std::map<std::string, model::Smooth::Group> groups;  // by source
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (!placement[i] || !fits(graph, switches[i])) continue;
    const model::Edge& edge = switches[i].activations[0];
    const std::string source = source_of(graph, edge);
    const auto found = calibration.find(source);
    if (found == calibration.end()) continue;
    model::Smooth::Group& group = groups[source];
    group.largest = largest_of(found->second);
    group.activations.push_back(edge);
    group.weights.push_back(switches[i].weights[0]);
  }
  Smoothing smoothing;
  model::Smooth smooth;
  std::vector<model::Edge> edges;
  for (auto& [source, group] : groups) {
    if (group.largest.size() < 2) continue;
    edges.insert(edges.end(), group.activations.begin(), group.activations.end());
    smooth.groups.push_back(std::move(group));
  }
  if (edges.empty()) return smoothing;
  TS_ASSIGN_OR_RETURN(smoothing.step, model::to_step(smooth));
  CalibrateOptions calibrating = options;
  TS_ASSIGN_OR_RETURN(calibrating.variant.recipe,
                      model::with_step(options.variant.recipe, smoothing.step));
  TS_ASSIGN_OR_RETURN(smoothing.calibration,
                      calibrate(engine, declared, edges, samples, calibrating));
  smoothing.edges.insert(edges.begin(), edges.end());
  return smoothing;
}

}  // namespace tachostat::optimize

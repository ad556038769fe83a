#include "optimize/quantise/placement.h"

#include <algorithm>
#include <map>

#include "base/status.h"
#include "model/steps.h"

namespace tachostat::optimize {
namespace {

constexpr int kActivationLevels = 256;
constexpr int kWeightLevels = 255;

// A tensor that is to be rounded.
struct Place {
  std::string key;
  const TensorStatistics* statistics;  // null: not calibrated
};

Place place_of(const model::Graph& graph, const model::Edge& edge, const Calibration& calibration,
               const std::shared_ptr<const Smoothing>& smoothing) {
  const std::string source = source_of(graph, edge);
  const bool smoothed = smoothing != nullptr && smoothing->edges.contains(edge);
  const Calibration& from = smoothed ? smoothing->calibration : calibration;
  const auto found = from.find(source);
  return {smoothed ? source + ", smoothed" : source,
          found == from.end() ? nullptr : &found->second};
}

}  // namespace

int count_on(const Placement& placement) {
  return static_cast<int>(std::count(placement.begin(), placement.end(), true));
}

absl::StatusOr<model::Recipe> recipe_of(const model::Graph& graph,
                                        const std::vector<Switch>& switches,
                                        const Placement& placement, const Calibration& calibration,
                                        const QuantiseOptions& options) {
  // One range per tensor: symmetric as soon as one reader needs it.
  std::map<model::Edge, Place> places;
  std::map<std::string, bool> symmetric;
  model::Quantise quantise;
  int products = 0;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (!placement[i]) continue;
    products += switches[i].kind == Switch::Kind::kProduct ? 1 : 0;
    for (const model::Edge& edge : switches[i].activations) {
      const Place& place =
          places.emplace(edge, place_of(graph, edge, calibration, options.smoothing)).first->second;
      symmetric[place.key] |= options.symmetric || switches[i].symmetric;
    }
    for (const model::Edge& edge : switches[i].weights) {
      quantise.weights.push_back({edge, kWeightLevels, options.weight_headroom});
    }
  }
  for (const auto& [edge, place] : places) {
    if (place.statistics == nullptr) {
      return base::not_found("input {} of layer '{}' was not calibrated", edge.input, edge.layer);
    }
    const Range range =
        range_of(*place.statistics, options.method, symmetric[place.key], kActivationLevels);
    quantise.activations.push_back({edge, {range.low}, {range.high}, kActivationLevels});
  }
  if (quantise.activations.empty()) return options.first;
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(quantise));
  std::vector<model::Recipe::Step> steps(options.first.steps().begin(),
                                         options.first.steps().end());
  if (options.smoothing != nullptr) steps.push_back(options.smoothing->step);
  steps.push_back(std::move(step));
  return model::Recipe::Create(fmt::format("int8 {}/{}", products, count_on(placement)),
                               std::move(steps));
}

}  // namespace tachostat::optimize

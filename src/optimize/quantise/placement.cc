#include "optimize/quantise/placement.h"

#include <algorithm>
#include <map>

#include "base/status.h"
#include "model/steps.h"

namespace tachostat::optimize {
namespace {

constexpr int kActivationLevels = 256;
constexpr int kWeightLevels = 255;

}  // namespace

int count_on(const Placement& placement) {
  return static_cast<int>(std::count(placement.begin(), placement.end(), true));
}

absl::StatusOr<model::Recipe> recipe_of(const model::Graph& graph,
                                        const std::vector<Switch>& switches,
                                        const Placement& placement, const Calibration& calibration,
                                        const QuantiseOptions& options) {
  // One range per source: symmetric as soon as one reader needs it.
  std::map<model::Edge, std::string> sources;
  std::map<std::string, bool> symmetric;
  model::Quantise quantise;
  int products = 0;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (!placement[i]) continue;
    products += switches[i].kind == Switch::Kind::kProduct ? 1 : 0;
    for (const model::Edge& edge : switches[i].activations) {
      const std::string& source = sources.emplace(edge, source_of(graph, edge)).first->second;
      symmetric[source] |= options.symmetric || switches[i].symmetric;
    }
    for (const model::Edge& edge : switches[i].weights) {
      quantise.weights.push_back({edge, kWeightLevels, options.weight_headroom});
    }
  }
  for (const auto& [edge, source] : sources) {
    const auto found = calibration.find(source);
    if (found == calibration.end()) {
      return base::not_found("input {} of layer '{}' was not calibrated", edge.input, edge.layer);
    }
    const Range range =
        range_of(found->second, options.method, symmetric[source], kActivationLevels);
    quantise.activations.push_back({edge, {range.low}, {range.high}, kActivationLevels});
  }
  if (quantise.activations.empty()) return model::Recipe();
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(quantise));
  return model::Recipe::Create(fmt::format("int8 {}/{}", products, count_on(placement)),
                               {std::move(step)});
}

}  // namespace tachostat::optimize

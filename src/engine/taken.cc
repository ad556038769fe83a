#include "engine/taken.h"

#include <set>

#include "model/steps.h"

namespace tachostat::engine {
namespace {

bool is_integer(const AppliedLayer& layer) {
  return layer.precision.find('8') != std::string::npos &&
         layer.precision.find('f') == std::string::npos;
}

}  // namespace

IntegerLayers integer_layers(const model::Recipe& recipe, const Applied& applied) {
  std::set<std::string> asked;
  for (const model::Recipe::Step& step : recipe.steps()) {
    if (step.pass != "quantise") continue;
    const auto quantise = model::quantise_from(step.arguments);
    if (!quantise.ok()) continue;
    for (const auto& weight : quantise->weights) asked.insert(weight.edge.layer);
  }
  IntegerLayers found{.asked = static_cast<int>(asked.size())};
  for (const AppliedLayer& layer : applied.layers) {
    if (!is_integer(layer)) continue;
    for (const std::string& original : layer.originals) asked.erase(original);
  }
  found.left.assign(asked.begin(), asked.end());
  return found;
}

}  // namespace tachostat::engine

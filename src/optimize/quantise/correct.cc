#include "optimize/quantise/correct.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/status.h"
#include "model/steps.h"

namespace tachostat::optimize {
namespace {

// Products that are on and have weights, with what a recipe rounds about them, each moved to the
// product's twin.
struct Twins {
  model::Twin twin = {};
  model::Quantise rounding = {.simulated = true};
  std::vector<model::Recipe::Step> before = {};  // the recipe's other steps
};

// The inputs that a product's activations enter, in their order.
std::vector<int> activation_inputs(const Switch& product) {
  std::vector<int> inputs;
  for (int input = 0; inputs.size() < product.activations.size(); ++input) {
    const bool weight =
        std::any_of(product.weights.begin(), product.weights.end(),
                    [input](const model::Edge& edge) { return edge.input == input; });
    if (!weight) inputs.push_back(input);
  }
  return inputs;
}

absl::StatusOr<Twins> twins_of(const model::Graph& graph, const std::vector<Switch>& switches,
                               const Placement& placement, const model::Recipe& recipe) {
  Twins twins;
  model::Quantise quantise;
  for (const model::Recipe::Step& step : recipe.steps()) {
    if (step.pass == "quantise") {
      TS_ASSIGN_OR_RETURN(quantise, model::quantise_from(step.arguments));
    } else {
      twins.before.push_back(step);
    }
  }
  std::map<model::Edge, const model::Quantise::Activation*> activations;
  for (const auto& activation : quantise.activations) activations[activation.edge] = &activation;
  std::map<model::Edge, const model::Quantise::Weight*> weights;
  for (const auto& weight : quantise.weights) weights[weight.edge] = &weight;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    const Switch& product = switches[i];
    if (!placement[i] || product.kind != Switch::Kind::kProduct || product.weights.empty()) {
      continue;
    }
    const std::string& layer = graph.layers[static_cast<std::size_t>(product.layer)].name;
    twins.twin.layers.push_back(layer);
    const std::vector<int> inputs = activation_inputs(product);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const auto found = activations.find(product.activations[k]);
      if (found == activations.end()) continue;
      twins.rounding.activations.push_back(*found->second);
      twins.rounding.activations.back().edge = {model::twin_of(layer), inputs[k]};
    }
    for (const model::Edge& edge : product.weights) {
      const auto found = weights.find(edge);
      if (found == weights.end()) continue;
      twins.rounding.weights.push_back(*found->second);
      twins.rounding.weights.back().edge = {model::twin_of(layer), edge.input};
    }
  }
  return twins;
}

absl::StatusOr<model::Recipe> recipe_of(const Twins& twins) {
  std::vector<model::Recipe::Step> steps = twins.before;
  TS_ASSIGN_OR_RETURN(model::Recipe::Step twin, model::to_step(twins.twin));
  TS_ASSIGN_OR_RETURN(model::Recipe::Step rounding, model::to_step(twins.rounding));
  steps.push_back(std::move(twin));
  steps.push_back(std::move(rounding));
  return model::Recipe::Create("twins", std::move(steps));
}

// Adds up, by layer and channel.
void add(const std::vector<engine::Tensor>& outputs, std::size_t own, model::Shift& shift) {
  for (std::size_t i = 0; i < shift.layers.size() && own + i < outputs.size(); ++i) {
    const engine::Tensor& means = outputs[own + i];
    const auto* const values = reinterpret_cast<const float*>(means.data.data());
    std::vector<float>& sum = shift.layers[i].by;
    sum.resize(means.data.size() / sizeof(float), 0.0F);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += values[c];
  }
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

}  // namespace

absl::StatusOr<model::Recipe> correct_means(engine::Engine& engine, const model::Graph& declared,
                                            const model::Graph& graph,
                                            const std::vector<Switch>& switches,
                                            const Placement& placement, const model::Recipe& recipe,
                                            const Samples& samples, const CorrectOptions& options) {
  if (recipe.empty()) return recipe;
  TS_ASSIGN_OR_RETURN(const Twins twins, twins_of(graph, switches, placement, recipe));
  if (twins.twin.layers.empty()) return recipe;
  model::Variant variant = options.variant;
  TS_ASSIGN_OR_RETURN(variant.recipe, recipe_of(twins));
  TS_ASSIGN_OR_RETURN(const auto session, engine.load(declared, variant, nullptr));
  model::Shift shift;
  for (const std::string& layer : twins.twin.layers) shift.layers.push_back({.layer = layer});
  for (std::size_t i = 0; i < samples.count; ++i) {
    if (options.progress && !options.progress(i, samples.count)) {
      return absl::CancelledError("correcting means was stopped");
    }
    TS_ASSIGN_OR_RETURN(std::vector<engine::Tensor> inputs, samples.at(i));
    TS_ASSIGN_OR_RETURN(const auto outputs, infer(*session, std::move(inputs)));
    add(outputs, declared.outputs.size(), shift);
  }
  for (model::Shift::Layer& layer : shift.layers) {
    for (float& by : layer.by) by /= -static_cast<float>(samples.count);
  }
  std::erase_if(shift.layers, [](const model::Shift::Layer& layer) {
    return layer.by.empty() || !all_finite(layer.by);
  });
  if (shift.layers.empty()) return recipe;
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(shift));
  return model::with_step(recipe, std::move(step));
}

}  // namespace tachostat::optimize

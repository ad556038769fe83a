#include "optimize/quantise/correct.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "model/steps.h"

namespace tachostat::optimize {
namespace {

// Relative to the mean's size.
constexpr double kMostShift = 2;

struct Product {
  std::string layer;
  model::Edge reader;  // an edge that shows what it computes
};

// Products that are on, and read by somebody.
std::vector<Product> products_of(const model::Graph& graph, const std::vector<Switch>& switches,
                                 const Placement& placement) {
  std::vector<Product> products;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (!placement[i] || switches[i].kind != Switch::Kind::kProduct) continue;
    if (switches[i].weights.empty()) continue;
    for (const model::Layer& layer : graph.layers) {
      const auto input =
          std::find(layer.producers.begin(), layer.producers.end(), switches[i].layer);
      if (input == layer.producers.end()) continue;
      products.push_back({graph.layers[static_cast<std::size_t>(switches[i].layer)].name,
                          {layer.name, static_cast<int>(input - layer.producers.begin())}});
      break;
    }
  }
  return products;
}

std::vector<model::Edge> readers_of(const std::vector<Product>& products) {
  std::vector<model::Edge> edges;
  for (const Product& product : products) edges.push_back(product.reader);
  return edges;
}

double size_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum;
}

// Nothing when the two don't fit together, or the difference is out of proportion.
std::vector<float> shift_of(const std::vector<double>& wanted, const std::vector<double>& found) {
  std::vector<float> shift;
  if (wanted.size() != found.size() || wanted.size() < 2) return shift;
  double difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) difference += std::abs(wanted[i] - found[i]);
  if (!(difference < kMostShift * size_of(wanted))) return shift;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    shift.push_back(static_cast<float>(wanted[i] - found[i]));
  }
  return shift;
}

// The same rounding without integer kernels, so that tensors inside can be looked at.
absl::StatusOr<model::Recipe> simulated(const model::Recipe& recipe) {
  std::vector<model::Recipe::Step> steps;
  for (const model::Recipe::Step& step : recipe.steps()) {
    if (step.pass != "quantise") {
      steps.push_back(step);
      continue;
    }
    TS_ASSIGN_OR_RETURN(model::Quantise quantise, model::quantise_from(step.arguments));
    quantise.simulated = true;
    TS_ASSIGN_OR_RETURN(model::Recipe::Step made, model::to_step(quantise));
    steps.push_back(std::move(made));
  }
  return model::Recipe::Create(std::string(recipe.name()), std::move(steps));
}

absl::StatusOr<model::Recipe> with_shift(const model::Recipe& recipe, const model::Shift& shift) {
  if (shift.layers.empty()) return recipe;
  std::vector<model::Recipe::Step> steps(recipe.steps().begin(), recipe.steps().end());
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(shift));
  steps.push_back(std::move(step));
  return model::Recipe::Create(std::string(recipe.name()), std::move(steps));
}

}  // namespace

absl::StatusOr<model::Recipe> correct_means(engine::Engine& engine, const model::Graph& declared,
                                            const model::Graph& graph,
                                            const std::vector<Switch>& switches,
                                            const Placement& placement, const model::Recipe& recipe,
                                            const Samples& samples, const CorrectOptions& options) {
  const std::vector<Product> products = products_of(graph, switches, placement);
  if (recipe.empty() || products.empty()) return recipe;
  CalibrateOptions calibrating{.variant = options.variant, .shaped = &graph};
  const auto groups = static_cast<std::size_t>(std::max(1, options.groups));
  std::size_t done_before = 0;
  calibrating.progress = [&](std::size_t done, std::size_t all) {
    return !options.progress || options.progress(done_before + done, all * (groups + 1));
  };
  TS_ASSIGN_OR_RETURN(Calibration plain,
                      calibrate(engine, declared, readers_of(products), samples, calibrating));
  TS_ASSIGN_OR_RETURN(const model::Recipe rounded, simulated(recipe));
  model::Shift shift;
  const std::size_t size = (products.size() + groups - 1) / groups;
  for (std::size_t begin = 0; begin < products.size(); begin += size) {
    done_before += samples.count;
    const std::vector<Product> group(
        products.begin() + static_cast<std::ptrdiff_t>(begin),
        products.begin() + static_cast<std::ptrdiff_t>(std::min(begin + size, products.size())));
    TS_ASSIGN_OR_RETURN(calibrating.variant.recipe, with_shift(rounded, shift));
    TS_ASSIGN_OR_RETURN(Calibration quantised,
                        calibrate(engine, declared, readers_of(group), samples, calibrating));
    for (const Product& product : group) {
      const std::string source = source_of(graph, product.reader);
      std::vector<float> by =
          shift_of(plain[source].channel_means(), quantised[source].channel_means());
      if (!by.empty()) shift.layers.push_back({product.layer, std::move(by)});
    }
  }
  return with_shift(recipe, shift);
}

}  // namespace tachostat::optimize

#include "app/optimize/repair.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace tachostat::app {
namespace {

using Outputs = std::vector<engine::Tensor>;

// Sum over floating outputs of |a - b|² ÷ |a|².
double difference(const Outputs& reference, const Outputs& other) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(reference.size(), other.size()); ++i) {
    const bool comparable = reference[i].type == model::DataType::kF32 &&
                            reference[i].data.size() == other[i].data.size();
    if (!comparable) continue;
    const auto* const a = reinterpret_cast<const float*>(reference[i].data.data());
    const auto* const b = reinterpret_cast<const float*>(other[i].data.data());
    double off = 0;
    double size = 1e-12;
    for (std::size_t k = 0; k < reference[i].data.size() / sizeof(float); ++k) {
      off += (static_cast<double>(a[k]) - b[k]) * (static_cast<double>(a[k]) - b[k]);
      size += static_cast<double>(a[k]) * a[k];
    }
    sum += std::isfinite(off) ? off / size : 1e9;
  }
  return sum;
}

// What a switch saves; those that save nothing by themselves still serve their neighbours.
double worth(const std::vector<double>& saved_ns, std::size_t index) {
  if (saved_ns.empty()) return 1;
  const double most = *std::max_element(saved_ns.begin(), saved_ns.end());
  return std::max(saved_ns[index], std::max(1.0, most / 100));
}

absl::StatusOr<std::vector<Outputs>> outputs_of(engine::Engine& engine, const model::Graph& graph,
                                                const model::Variant& variant,
                                                const std::vector<Outputs>& inputs) {
  TS_ASSIGN_OR_RETURN(const auto session, engine.load(graph, variant, nullptr));
  std::vector<Outputs> outputs;
  for (const Outputs& input : inputs) {
    TS_ASSIGN_OR_RETURN(Outputs output, optimize::infer(*session, input));
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace

absl::StatusOr<std::vector<std::size_t>> most_disturbing(
    engine::Engine& engine, const model::Graph& declared, const model::Graph& graph,
    const std::vector<optimize::Switch>& switches, const optimize::Placement& placement,
    const optimize::Calibration& calibration, const optimize::QuantiseOptions& ranges,
    const optimize::Samples& samples, const RepairOptions& options) {
  std::vector<Outputs> inputs;
  for (std::size_t i = 0; i < std::min(options.probes, samples.count); ++i) {
    TS_ASSIGN_OR_RETURN(Outputs input, samples.at(i));
    inputs.push_back(std::move(input));
  }
  TS_ASSIGN_OR_RETURN(const auto truth, outputs_of(engine, declared, options.variant, inputs));
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (!placement[i] || switches[i].kind != optimize::Switch::Kind::kProduct) continue;
    if (options.progress && !options.progress(static_cast<double>(i) / switches.size())) {
      return absl::CancelledError("looking for sensitive layers was stopped");
    }
    if (options.search_on && !options.search_on()) {
      found.emplace_back(-1, i);
      continue;
    }
    optimize::Placement alone(switches.size());
    alone[i] = true;
    model::Variant variant = options.variant;
    TS_ASSIGN_OR_RETURN(variant.recipe,
                        optimize::recipe_of(graph, switches, alone, calibration, ranges));
    TS_ASSIGN_OR_RETURN(const auto outputs, outputs_of(engine, declared, variant, inputs));
    double sum = 0;
    for (std::size_t k = 0; k < truth.size(); ++k) sum += difference(truth[k], outputs[k]);
    found.emplace_back(sum / worth(options.saved_ns, i), i);
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  std::vector<std::size_t> order;
  for (const auto& [sum, index] : found) order.push_back(index);
  return order;
}

optimize::Placement without(const std::vector<optimize::Switch>& switches,
                            optimize::Placement placement,
                            const std::vector<std::size_t>& disturbing, std::size_t count) {
  for (std::size_t i = 0; i < std::min(count, disturbing.size()); ++i) {
    placement[disturbing[i]] = false;
  }
  const bool any = std::any_of(disturbing.begin(), disturbing.end(),
                               [&placement](std::size_t index) { return placement[index]; });
  // Without any product, rounding serves nobody.
  if (!any) placement.assign(switches.size(), false);
  return placement;
}

}  // namespace tachostat::app

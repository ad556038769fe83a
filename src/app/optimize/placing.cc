#include "app/optimize/placing.h"

#include <algorithm>

#include "base/status.h"
#include "profile/isa.h"

namespace tachostat::app {
namespace {

std::vector<model::Edge> edges_of(const std::vector<optimize::Switch>& switches) {
  std::vector<model::Edge> edges;
  for (const optimize::Switch& one : switches) {
    edges.insert(edges.end(), one.activations.begin(), one.activations.end());
  }
  return edges;
}

}  // namespace

float weight_headroom() {
  const profile::ProcessorWords processor = profile::this_processor();
  if (processor.architecture != profile::Architecture::kX86) return 1;
  const auto sets = profile::instruction_sets(processor);
  const bool adds_in_32_bits = std::any_of(sets.begin(), sets.end(), [](const auto& set) {
    return set.present &&
           (set.name == "avx512_vnni" || set.name == "avx_vnni" || set.name == "amx_int8");
  });
  return adds_in_32_bits ? 1 : 2;
}

absl::StatusOr<Placing> place_quantisers(engine::Engine& engine, const model::Graph& declared,
                                         const model::Graph& graph,
                                         const optimize::Samples& samples, optimize::Bench& bench,
                                         const PlacingOptions& options) {
  Placing placing;
  placing.switches = optimize::find_switches(graph);
  if (placing.switches.empty()) return placing;
  const auto progress = options.progress;
  optimize::CalibrateOptions calibrating{.variant = options.base};
  calibrating.variant.precision = model::Precision::kF32;
  calibrating.variant.shapes.clear();
  calibrating.progress = [&progress](std::size_t done, std::size_t all) {
    return !progress ||
           progress("calibrating", static_cast<double>(done) / static_cast<double>(all));
  };
  TS_ASSIGN_OR_RETURN(
      placing.calibration,
      optimize::calibrate(engine, declared, edges_of(placing.switches), samples, calibrating));
  optimize::PlacementSearchOptions search{.base = options.base,
                                          .weight_headroom = weight_headroom(),
                                          .most_rounds = options.most_rounds,
                                          .seed = options.seed};
  search.progress = [&progress](int done, int all, const std::string& what) {
    return !progress || progress("placing quantisers: " + what, static_cast<double>(done) / all);
  };
  TS_ASSIGN_OR_RETURN(
      placing.result,
      optimize::search_placement(graph, placing.switches, placing.calibration, bench, search));
  if (placing.result.recipe.empty()) return placing;
  for (const auto method : {optimize::RangeMethod::kMinMax, optimize::RangeMethod::kMse,
                            optimize::RangeMethod::kPercentile}) {
    optimize::QuantiseOptions ranges = placing.result.ranges;
    ranges.method = method;
    TS_ASSIGN_OR_RETURN(model::Recipe recipe,
                        optimize::recipe_of(graph, placing.switches, placing.result.placement,
                                            placing.calibration, ranges));
    placing.recipes.emplace_back(fmt::format("ranges by {}", name_of(method)), std::move(recipe));
  }
  return placing;
}

}  // namespace tachostat::app

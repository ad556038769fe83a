#include "app/optimize/placing.h"

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "app/optimize/repair.h"
#include "base/status.h"
#include "optimize/quantise/correct.h"
#include "profile/isa.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

// Of the wanted drop: below it nothing is left to mend, and a safer recipe would prove no more.
constexpr double kSafe = 0.25;
// Samples to see a drop on: as many as half a dozen recipes take about this long for.
constexpr double kScoringNs = 20e9;
constexpr double kLeastScored = 24;
constexpr double kMostScored = 96;
// Samples for what looks at many tensors or tries many networks.
constexpr std::size_t kFew = 16;
constexpr std::size_t kGlance = 24;

class Stage {
 public:
  Stage(engine::Engine& engine, const model::Graph& declared, const model::Graph& graph,
        const optimize::Samples& samples, optimize::Bench& bench, Journal& journal,
        const PlacingOptions& options)
      : engine_(engine),
        declared_(declared),
        graph_(graph),
        samples_(samples),
        few_{std::min(samples.count, kFew), samples.at},
        bench_(bench),
        journal_(journal),
        options_(options) {}

  absl::StatusOr<Placing> run() {
    placing_.switches = optimize::find_switches(graph_);
    if (placing_.switches.empty()) return std::move(placing_);
    TS_RETURN_IF_ERROR(calibrate());
    TS_RETURN_IF_ERROR(search());
    if (placing_.result.recipe.empty()) return std::move(placing_);
    placing_.placed.push_back({.name = "int8", .placement = placing_.result.placement});
    TS_RETURN_IF_ERROR(choose_ranges());
    if (drops_much()) TS_RETURN_IF_ERROR(correct());
    if (drops_much()) TS_RETURN_IF_ERROR(smooth());
    if (drops_much()) TS_RETURN_IF_ERROR(repair());
    return std::move(placing_);
  }

 private:
  bool go_on(std::string_view stage, double done) {
    return !options_.progress || options_.progress(stage, done);
  }

  // And there is time to mend it.
  bool drops_much() const {
    return drop_ > options_.wanted_drop * kSafe && (!options_.repair_on || options_.repair_on());
  }

  // The fastest so far.
  Placed& fastest() { return placing_.placed.front(); }

  absl::Status calibrate() {
    std::vector<model::Edge> edges;
    for (const optimize::Switch& one : placing_.switches) {
      edges.insert(edges.end(), one.activations.begin(), one.activations.end());
    }
    optimize::CalibrateOptions calibrating{.variant = options_.reference, .shaped = &graph_};
    calibrating.progress = [this](std::size_t done, std::size_t all) {
      return go_on("calibrating", static_cast<double>(done) / static_cast<double>(all));
    };
    TS_ASSIGN_OR_RETURN(calibration_,
                        optimize::calibrate(engine_, declared_, edges, samples_, calibrating));
    return absl::OkStatus();
  }

  absl::Status search() {
    optimize::PlacementSearchOptions search{.base = options_.base,
                                            .weight_headroom = weight_headroom(),
                                            .most_rounds = options_.most_rounds,
                                            .seed = options_.seed};
    search.progress = [this](int done, int all, const std::string& what) {
      if (options_.search_on && !options_.search_on()) return false;
      return go_on("placing quantisers: " + what, static_cast<double>(done) / all);
    };
    TS_ASSIGN_OR_RETURN(placing_.result, optimize::search_placement(graph_, placing_.switches,
                                                                    calibration_, bench_, search));
    ranges_ = placing_.result.ranges;
    return absl::OkStatus();
  }

  absl::StatusOr<model::Recipe> recipe_of(const optimize::Placement& placement,
                                          const optimize::QuantiseOptions& ranges) const {
    return optimize::recipe_of(graph_, placing_.switches, placement, calibration_, ranges);
  }

  std::size_t scored() const {
    const double one = std::max(1.0, placing_.result.f32_ns);
    return static_cast<std::size_t>(std::clamp(kScoringNs / (7 * one), kLeastScored, kMostScored));
  }

  absl::StatusOr<std::vector<double>> drops_of(const std::vector<model::Recipe>& recipes,
                                               std::size_t samples) const {
    std::vector<model::Variant> variants(recipes.size(), options_.reference);
    for (std::size_t i = 0; i < recipes.size(); ++i) variants[i].recipe = recipes[i];
    return options_.drops(variants, samples);
  }

  // Takes the one that drops least, if that is less than what there is.
  absl::Status offer(const std::vector<std::string>& names,
                     const std::vector<model::Recipe>& recipes) {
    TS_ASSIGN_OR_RETURN(const std::vector<double> drops, drops_of(recipes, scored()));
    const auto least = std::min_element(drops.begin(), drops.end()) - drops.begin();
    const bool better = fastest().recipe.empty() || drops[static_cast<std::size_t>(least)] < drop_;
    for (std::size_t i = 0; i < recipes.size(); ++i) {
      const bool taken = better && i == static_cast<std::size_t>(least);
      placing_.notes.push_back(
          fmt::format("{}: drops by {:.3f} %{}", names[i], drops[i] * 100, taken ? ", taken" : ""));
    }
    if (!better) return absl::OkStatus();
    fastest().recipe = recipes[static_cast<std::size_t>(least)];
    drop_ = drops[static_cast<std::size_t>(least)];
    return absl::OkStatus();
  }

  absl::Status choose_ranges() {
    static constexpr std::array kMethods = {optimize::RangeMethod::kMinMax,
                                            optimize::RangeMethod::kMse,
                                            optimize::RangeMethod::kPercentile};
    std::vector<std::string> names;
    std::vector<model::Recipe> recipes;
    std::vector<optimize::QuantiseOptions> tried;
    for (const bool symmetric : {true, false}) {
      if (symmetric != ranges_.symmetric && !placing_.result.zero_points_are_free) continue;
      for (const optimize::RangeMethod method : kMethods) {
        optimize::QuantiseOptions ranges = ranges_;
        ranges.method = method;
        ranges.symmetric = symmetric;
        TS_ASSIGN_OR_RETURN(model::Recipe recipe, recipe_of(fastest().placement, ranges));
        recipes.push_back(std::move(recipe));
        names.push_back(fmt::format("ranges by {}, {}", name_of(method),
                                    symmetric ? "around zero" : "with zero points"));
        tried.push_back(std::move(ranges));
      }
    }
    TS_RETURN_IF_ERROR(offer(names, recipes));
    const auto taken = std::find(recipes.begin(), recipes.end(), fastest().recipe);
    ranges_ = tried[static_cast<std::size_t>(taken - recipes.begin())];
    return absl::OkStatus();
  }

  absl::StatusOr<model::Recipe> corrected(const optimize::Placement& placement,
                                          const model::Recipe& recipe) {
    const auto make = [&]() -> absl::StatusOr<std::string> {
      optimize::CorrectOptions correcting{.variant = options_.reference};
      correcting.progress = [this](std::size_t done, std::size_t all) {
        return go_on("correcting means", static_cast<double>(done) / static_cast<double>(all));
      };
      TS_ASSIGN_OR_RETURN(const model::Recipe made,
                          optimize::correct_means(engine_, declared_, graph_, placing_.switches,
                                                  placement, recipe, few_, correcting));
      return model::to_json(made);
    };
    TS_ASSIGN_OR_RETURN(const std::string text,
                        journal_.once(fmt::format("corrected {}", recipe.hash()), make));
    return model::recipe_from_json(text);
  }

  absl::Status correct() {
    TS_ASSIGN_OR_RETURN(const model::Recipe recipe,
                        corrected(fastest().placement, fastest().recipe));
    TS_RETURN_IF_ERROR(offer({"means corrected"}, {recipe}));
    means_corrected_ = fastest().recipe == recipe;
    return absl::OkStatus();
  }

  // Taken only if it drops less; then all that follows is smoothed too.
  absl::Status smooth() {
    optimize::CalibrateOptions calibrating{.variant = options_.reference, .shaped = &graph_};
    calibrating.progress = [this](std::size_t done, std::size_t all) {
      return go_on("smoothing channels", static_cast<double>(done) / static_cast<double>(all));
    };
    TS_ASSIGN_OR_RETURN(
        optimize::Smoothing made,
        optimize::smoothing_of(engine_, declared_, graph_, placing_.switches, fastest().placement,
                               calibration_, samples_, calibrating));
    if (made.empty()) return absl::OkStatus();
    optimize::QuantiseOptions ranges = ranges_;
    ranges.smoothing = std::make_shared<const optimize::Smoothing>(std::move(made));
    TS_ASSIGN_OR_RETURN(const model::Recipe recipe, recipe_of(fastest().placement, ranges));
    TS_ASSIGN_OR_RETURN(const model::Recipe shifted, corrected(fastest().placement, recipe));
    TS_RETURN_IF_ERROR(
        offer({"channels smoothed", "channels smoothed, means corrected"}, {recipe, shifted}));
    if (fastest().recipe != recipe && fastest().recipe != shifted) return absl::OkStatus();
    ranges_ = ranges;
    means_corrected_ = fastest().recipe == shifted;
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::size_t>> disturbing() {
    const auto make = [&]() -> absl::StatusOr<std::string> {
      RepairOptions repairing{.variant = options_.reference};
      repairing.progress = [this](double done) {
        return go_on("looking for sensitive layers", done);
      };
      repairing.search_on = options_.repair_on;
      repairing.saved_ns = placing_.result.saved_ns;
      TS_ASSIGN_OR_RETURN(
          const std::vector<std::size_t> order,
          most_disturbing(engine_, declared_, graph_, placing_.switches, fastest().placement,
                          calibration_, ranges_, few_, repairing));
      return Json(order).dump();
    };
    TS_ASSIGN_OR_RETURN(const std::string text,
                        journal_.once(fmt::format("disturbing {}", fastest().recipe.hash()), make));
    return Json::parse(text).get<std::vector<std::size_t>>();
  }

  struct Left {
    std::size_t count = 0;  // products that are left in f32
    optimize::Placement placement = {};
    model::Recipe recipe = {};
    double drop = 1;  // at a glance
  };

  // Looks at all these counts together.
  absl::StatusOr<std::vector<Left>> glance(const std::vector<std::size_t>& order,
                                           const std::set<std::size_t>& counts) {
    std::vector<Left> all;
    std::vector<model::Recipe> recipes;
    for (const std::size_t count : counts) {
      Left left{.count = count,
                .placement = without(placing_.switches, fastest().placement, order, count)};
      TS_ASSIGN_OR_RETURN(left.recipe, recipe_of(left.placement, ranges_));
      recipes.push_back(left.recipe);
      all.push_back(std::move(left));
    }
    TS_ASSIGN_OR_RETURN(const std::vector<double> drops, drops_of(recipes, kGlance));
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].drop = drops[i];
      placing_.notes.push_back(
          fmt::format("{} of {} products left in f32: drops by {:.3f} % at a glance", all[i].count,
                      order.size(), drops[i] * 100));
    }
    return all;
  }

  // As few products as needed are left in f32: 1, 2, 4, …, then between the last two of these.
  absl::Status repair() {
    TS_ASSIGN_OR_RETURN(const std::vector<std::size_t> order, disturbing());
    std::set<std::size_t> counts;
    for (std::size_t count = 1; count < order.size(); count *= 2) counts.insert(count);
    if (counts.empty()) return absl::OkStatus();
    TS_ASSIGN_OR_RETURN(const std::vector<Left> tried, glance(order, counts));
    std::size_t left = 0;
    if (drop_ > options_.wanted_drop) {
      TS_ASSIGN_OR_RETURN(const Left best, fewest(order, tried));
      TS_ASSIGN_OR_RETURN(const model::Recipe shifted, corrected(best.placement, best.recipe));
      const std::string name =
          fmt::format("{} of {} products left in f32", best.count, order.size());
      TS_RETURN_IF_ERROR(offer({name, name + ", means corrected"}, {best.recipe, shifted}));
      if (fastest().recipe == shifted || fastest().recipe == best.recipe) {
        fastest().placement = best.placement;
        means_corrected_ = fastest().recipe == shifted;
        left = best.count;
      }
    }
    return add_safer(tried, left);
  }

  // The fewest that are good enough at a glance; the most that were tried if none is.
  absl::StatusOr<Left> fewest(const std::vector<std::size_t>& order,
                              const std::vector<Left>& tried) {
    const double wanted = options_.wanted_drop;
    const auto good = [wanted](const Left& left) { return left.drop <= wanted; };
    const auto found = std::find_if(tried.begin(), tried.end(), good);
    if (found == tried.end()) return tried.back();
    if (found->count < 4) return *found;
    const std::size_t eighth = found->count / 8 + (found->count < 8 ? 1 : 0);
    TS_ASSIGN_OR_RETURN(const std::vector<Left> between,
                        glance(order, {found->count - 3 * eighth, found->count - 2 * eighth,
                                       found->count - eighth}));
    const auto fewer = std::find_if(between.begin(), between.end(), good);
    return fewer == between.end() ? *found : *fewer;
  }

  // Races beside the fastest: what the search's samples flattered may not be proved on others.
  absl::Status add_safer(const std::vector<Left>& tried, std::size_t left) {
    for (const Left& one : tried) {
      if (one.count <= left || one.drop > options_.wanted_drop * kSafe) continue;
      Placed safer{.name = "int8, safer", .placement = one.placement, .recipe = one.recipe};
      if (means_corrected_) {
        TS_ASSIGN_OR_RETURN(safer.recipe, corrected(one.placement, one.recipe));
      }
      placing_.notes.push_back(
          fmt::format("{} products left in f32, to race as the safer one", one.count));
      placing_.placed.push_back(std::move(safer));
      break;
    }
    return absl::OkStatus();
  }

  engine::Engine& engine_;
  const model::Graph& declared_;
  const model::Graph& graph_;
  const optimize::Samples& samples_;
  const optimize::Samples few_;
  optimize::Bench& bench_;
  Journal& journal_;
  const PlacingOptions& options_;
  optimize::Calibration calibration_;
  optimize::QuantiseOptions ranges_;
  double drop_ = 1;
  bool means_corrected_ = false;
  Placing placing_;
};

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
                                         Journal& journal, const PlacingOptions& options) {
  return Stage(engine, declared, graph, samples, bench, journal, options).run();
}

}  // namespace tachostat::app

#include "optimize/quantise/search.h"

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <random>

#include "base/status.h"
#include "optimize/quantise/local_cost.h"

namespace tachostat::optimize {
namespace {

class Search {
 public:
  Search(const model::Graph& graph, const std::vector<Switch>& switches,
         const Calibration& calibration, Bench& bench, const PlacementSearchOptions& options)
      : graph_(graph),
        switches_(switches),
        calibration_(calibration),
        bench_(bench),
        options_(options) {
    for (const Switch& one : switches) neighbourhoods_.push_back(neighbourhood(graph, one));
    ranges_.first = options.base.recipe;
    ranges_.weight_headroom = options.weight_headroom;
    ranges_.method = options.method;
  }

  absl::StatusOr<PlacementResult> run() {
    TS_RETURN_IF_ERROR(start());
    TS_RETURN_IF_ERROR(climb());
    return finish();
  }

 private:
  using Flips = std::vector<std::size_t>;
  struct Gain {
    double ns;
    std::size_t flip, alternative;
  };
  // Tried side by side in one round: the placement that they are held against is measured once.
  static constexpr std::size_t kAlternatives = 3;

  Placement all() const { return Placement(switches_.size(), true); }
  Placement products() const {
    Placement placement(switches_.size());
    for (std::size_t i = 0; i < placement.size(); ++i) {
      placement[i] = switches_[i].kind == Switch::Kind::kProduct;
    }
    return placement;
  }

  absl::StatusOr<model::Variant> variant_of(const Placement& placement,
                                            const QuantiseOptions& ranges) const {
    model::Variant variant = options_.base;
    TS_ASSIGN_OR_RETURN(variant.recipe,
                        recipe_of(graph_, switches_, placement, calibration_, ranges));
    return variant;
  }

  void note(std::string what, const Saving& saving) {
    result_.tries.push_back({std::move(what), saving.after, saving.before});
  }

  bool go_on(const std::string& what) {
    if (!options_.progress) return true;
    return options_.progress(rounds_, options_.most_rounds, what);
  }

  // The best of the usual placements.
  absl::Status start() {
    struct Start {
      const char* name;
      Placement placement;
      bool symmetric;
    };
    const std::vector<Start> starts = {{"f32", Placement(switches_.size()), true},
                                       {"products, around zero", products(), true},
                                       {"products, with zero points", products(), false},
                                       {"all, around zero", all(), true},
                                       {"all, with zero points", all(), false}};
    go_on("the usual placements");
    std::vector<model::Variant> variants;
    for (const Start& one : starts) {
      QuantiseOptions ranges = ranges_;
      ranges.symmetric = one.symmetric;
      TS_ASSIGN_OR_RETURN(model::Variant variant, variant_of(one.placement, ranges));
      variants.push_back(std::move(variant));
    }
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants));
    double best = 0;
    std::vector<double> after;
    const LocalCosts f32(graph_, profiles[0]);
    for (const Switch& one : switches_) {
      own_ns_.push_back(median_of(f32.of({one.layer})));
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const Saving saving = saving_of(f32.total(), LocalCosts(graph_, profiles[i]).total());
      note(starts[i].name, saving);
      if (i > 0 && (best == 0 || saving.ns > best)) {
        best = saving.ns;
        current_ = starts[i].placement;
        ranges_.symmetric = starts[i].symmetric;
      }
      after.push_back(saving.after);
    }
    constexpr double kFree = 1.02;
    result_.zero_points_are_free = after[2] < kFree * after[1] && after[4] < kFree * after[3];
    return absl::OkStatus();
  }

  // What costs most first, so that a search that is cut short has spent its time well.
  void line_up() {
    waiting_.resize(switches_.size());
    std::iota(waiting_.begin(), waiting_.end(), 0);
    std::shuffle(waiting_.begin(), waiting_.end(), std::mt19937_64(options_.seed));
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [this](std::size_t a, std::size_t b) { return own_ns_[a] > own_ns_[b]; });
    looks_.assign(switches_.size(), 0);
  }

  absl::Status climb() {
    line_up();
    while (!waiting_.empty() && rounds_ < options_.most_rounds) {
      const std::size_t left = waiting_.size();
      std::vector<Flips> alternatives;
      while (alternatives.size() < kAlternatives && !waiting_.empty()) {
        alternatives.push_back(take_apart());
      }
      if (!go_on(fmt::format("{} of {} choices left", left, switches_.size()))) break;
      TS_RETURN_IF_ERROR(try_flips(alternatives));
      ++rounds_;
    }
    return absl::OkStatus();
  }

  bool meet(std::size_t i, const LayerSet& used) const {
    const LayerSet& around = neighbourhoods_[i];
    return std::any_of(around.begin(), around.end(),
                       [&used](int layer) { return used.contains(layer); });
  }
  void use(std::size_t i, LayerSet& used) const {
    used.insert(neighbourhoods_[i].begin(), neighbourhoods_[i].end());
  }

  // From the front of the queue, those whose neighbourhoods do not meet.
  Flips take_apart() {
    Flips taken;
    LayerSet used;
    std::deque<std::size_t> left;
    for (const std::size_t i : waiting_) {
      if (meet(i, used)) {
        left.push_back(i);
        continue;
      }
      use(i, used);
      taken.push_back(i);
    }
    waiting_ = std::move(left);
    return taken;
  }

  absl::Status try_flips(const std::vector<Flips>& alternatives) {
    std::vector<model::Variant> variants(1);
    TS_ASSIGN_OR_RETURN(variants[0], variant_of(current_, ranges_));
    for (const Flips& flips : alternatives) {
      Placement flipped = current_;
      for (const std::size_t i : flips) flipped[i] = !flipped[i];
      TS_ASSIGN_OR_RETURN(model::Variant variant, variant_of(flipped, ranges_));
      variants.push_back(std::move(variant));
    }
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants));
    const LocalCosts before(graph_, profiles[0]);
    std::vector<Gain> gains;
    std::size_t tried = 0;
    Saving best;
    for (std::size_t k = 0; k < alternatives.size(); ++k) {
      const LocalCosts after(graph_, profiles[k + 1]);
      tried += alternatives[k].size();
      const Saving whole = saving_of(before.total(), after.total());
      if (k == 0 || whole.ns > best.ns) best = whole;
      for (const std::size_t i : alternatives[k]) {
        const Saving saving =
            saving_of(before.of(neighbourhoods_[i]), after.of(neighbourhoods_[i]));
        const double least = current_[i] ? 0 : options_.least_gain * saving.before;
        ++looks_[i];
        if (saving.low > 0 && saving.ns > least) gains.push_back({saving.ns, i, k});
      }
    }
    const std::size_t kept = keep(std::move(gains));
    note(fmt::format("{} of {} flips kept", kept, tried), best);
    return absl::OkStatus();
  }

  // The largest first. One whose neighbourhood meets that of another alternative's was measured
  // without that one, so it waits for another look.
  std::size_t keep(std::vector<Gain> gains) {
    std::sort(gains.begin(), gains.end(), [](const Gain& a, const Gain& b) { return a.ns > b.ns; });
    std::map<std::size_t, LayerSet> used;  // by alternative
    std::vector<std::size_t> kept;
    for (const Gain& gain : gains) {
      const bool meets = std::any_of(used.begin(), used.end(), [&](const auto& entry) {
        return entry.first != gain.alternative && meet(gain.flip, entry.second);
      });
      if (meets) {
        waiting_.push_back(gain.flip);
        continue;
      }
      use(gain.flip, used[gain.alternative]);
      kept.push_back(gain.flip);
    }
    for (const std::size_t i : kept) current_[i] = !current_[i];
    for (const std::size_t i : kept) look_again_around(i);
    return kept.size();
  }

  // What pays depends on what is around it.
  void look_again_around(std::size_t changed) {
    constexpr int kMostLooks = 3;
    for (std::size_t i = 0; i < switches_.size(); ++i) {
      if (i == changed || looks_[i] >= kMostLooks || looks_[i] == 0) continue;
      if (!neighbourhoods_[changed].contains(switches_[i].layer)) continue;
      if (std::find(waiting_.begin(), waiting_.end(), i) == waiting_.end()) waiting_.push_back(i);
    }
  }

  absl::StatusOr<PlacementResult> finish() {
    go_on("the result against f32");
    std::vector<model::Variant> variants(2, options_.base);
    TS_ASSIGN_OR_RETURN(variants[1], variant_of(current_, ranges_));
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants));
    const LocalCosts before(graph_, profiles[0]);
    const LocalCosts after(graph_, profiles[1]);
    const Saving saving = saving_of(before.total(), after.total());
    note("the result against f32", saving);
    for (const Switch& one : switches_) {
      result_.saved_ns.push_back(saving_of(before.of({one.layer}), after.of({one.layer})).ns);
    }
    result_.f32_ns = saving.before;
    result_.ns = saving.after;
    result_.ranges = ranges_;
    result_.placement = current_;
    result_.recipe = variants[1].recipe;
    if (saving.low <= 0) {
      result_.placement = Placement(switches_.size());
      result_.recipe = model::Recipe();
    }
    return std::move(result_);
  }

  const model::Graph& graph_;
  const std::vector<Switch>& switches_;
  const Calibration& calibration_;
  Bench& bench_;
  const PlacementSearchOptions& options_;
  std::vector<LayerSet> neighbourhoods_;
  std::vector<double> own_ns_;  // of each switch's layer in f32
  QuantiseOptions ranges_;
  Placement current_;
  std::deque<std::size_t> waiting_;
  std::vector<int> looks_;
  int rounds_ = 0;
  PlacementResult result_;
};

}  // namespace

absl::StatusOr<PlacementResult> search_placement(const model::Graph& graph,
                                                 const std::vector<Switch>& switches,
                                                 const Calibration& calibration, Bench& bench,
                                                 const PlacementSearchOptions& options) {
  if (switches.empty()) return PlacementResult{};
  return Search(graph, switches, calibration, bench, options).run();
}

}  // namespace tachostat::optimize

#include "app/optimize/pruning.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "model/steps.h"
#include "optimize/prune/ladder.h"
#include "optimize/prune/removal.h"
#include "optimize/quantise/local_cost.h"

namespace tachostat::app {
namespace {

using Counts = std::vector<std::size_t>;  // of channels that go, by group

constexpr std::size_t kGlance = 24;  // samples to see a drop on

std::size_t total(const Counts& counts) {
  std::size_t sum = 0;
  for (const std::size_t count : counts) sum += count;
  return sum;
}

class Stage {
 public:
  Stage(const Track& track, optimize::Bench& bench, const model::Graph& graph,
        const optimize::Samples& samples, const PruningOptions& options)
      : track_(track), bench_(bench), graph_(graph), samples_(samples), options_(options) {}

  absl::StatusOr<Pruning> run() {
    pruning_.recipe = options_.base.recipe;
    TS_ASSIGN_OR_RETURN(groups_, track_.engine.channel_groups(track_.graph, options_.base.shapes,
                                                              options_.base.recipe));
    std::erase_if(groups_, [](const model::ChannelGroup& group) {
      return optimize::prunable_counts(static_cast<std::size_t>(group.channels)).empty();
    });
    if (groups_.empty()) return std::move(pruning_);
    TS_RETURN_IF_ERROR(read_channels());
    find_order();
    TS_ASSIGN_OR_RETURN(const std::vector<Counts> rungs, climbable());
    if (rungs.empty()) {
      note("no saving of time was measured");
      return std::move(pruning_);
    }
    TS_ASSIGN_OR_RETURN(const std::size_t highest, accurate(rungs));
    if (highest == 0) return std::move(pruning_);
    TS_RETURN_IF_ERROR(race_rungs(rungs, highest));
    return std::move(pruning_);
  }

 private:
  void note(std::string text) {
    pruning_.notes.push_back(
        fmt::format("{} groups of channels: {}", groups_.size(), std::move(text)));
  }

  absl::Status read_channels() {
    std::vector<model::Edge> edges;
    for (const model::ChannelGroup& group : groups_) {
      for (const auto& reader : group.readers) edges.push_back(reader.edge);
    }
    optimize::CalibrateOptions calibrating{.variant = options_.reference, .shaped = &graph_};
    calibrating.progress = [this](std::size_t done, std::size_t all) {
      return !track_.progress ||
             track_.progress("looking at channels",
                             static_cast<double>(done) / static_cast<double>(all));
    };
    std::map<std::string, optimize::ChannelStatistics> found;
    const auto look = [&found](const std::string& source, std::span<const float> values,
                               const model::Shape& shape, bool channels_last) {
      found[source].add(values, shape, channels_last);
    };
    TS_RETURN_IF_ERROR(
        optimize::look_at(track_.engine, track_.graph, edges, samples_, calibrating, look));
    for (const model::ChannelGroup& group : groups_) {
      std::vector<optimize::Reading>& readings = readings_.emplace_back();
      for (const auto& reader : group.readers) {
        readings.push_back(
            {reader.edge, found[optimize::source_of(graph_, reader.edge)], reader.weight});
        if (readings.back().statistics.channels() == reader.weight.size()) continue;
        return base::internal("the tensor that enters '{}' has {} channels, expected {}",
                              reader.edge.layer, readings.back().statistics.channels(),
                              reader.weight.size());
      }
    }
    return absl::OkStatus();
  }

  void find_order() {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      counts_.push_back(optimize::prunable_counts(static_cast<std::size_t>(groups_[g].channels)));
      removals_.push_back(optimize::order_of_removal(readings_[g], counts_.back().back()));
    }
  }

  absl::StatusOr<model::Recipe> recipe_of(const Counts& counts) const {
    model::Prune prune;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (counts[g] == 0) continue;
      prune.groups.push_back(
          optimize::group_without(groups_[g].name, readings_[g], removals_[g], counts[g]));
    }
    TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(prune));
    const std::string name = fmt::format("{} channels less", total(counts));
    if (options_.base.recipe.empty()) return model::Recipe::Create(name, {std::move(step)});
    return model::with_step(options_.base.recipe, std::move(step));
  }

  // One for each, after those that are there.
  absl::Status add_variants(const model::Variant& like, const std::vector<Counts>& all,
                            std::vector<model::Variant>& variants) const {
    for (const Counts& counts : all) {
      variants.push_back(like);
      TS_ASSIGN_OR_RETURN(variants.back().recipe, recipe_of(counts));
    }
    return absl::OkStatus();
  }

  // All groups at their first level, at their second, and so on; the last ones stay there.
  std::vector<Counts> levels() const {
    std::size_t most = 0;
    for (const Counts& counts : counts_) most = std::max(most, counts.size());
    std::vector<Counts> all(most);
    for (std::size_t level = 0; level < most; ++level) {
      for (const Counts& counts : counts_) {
        all[level].push_back(counts[std::min(level, counts.size() - 1)]);
      }
    }
    return all;
  }

  // Time by slice that depends on a group. A layer between two groups is half of each.
  std::vector<double> time_of(const optimize::LocalCosts& costs, std::size_t group) const {
    std::vector<double> sum;
    for (const std::string& name : groups_[group].layers) {
      const int layer = graph_.find_layer(name);
      if (layer < 0) continue;
      const auto touching = static_cast<double>(touching_.at(name));
      const std::vector<double> ns = costs.of({layer});
      sum.resize(ns.size(), 0);
      for (std::size_t i = 0; i < ns.size(); ++i) sum[i] += ns[i] / touching;
    }
    return sum;
  }

  void count_touching() {
    for (const model::ChannelGroup& group : groups_) {
      for (const std::string& name : std::set(group.layers.begin(), group.layers.end())) {
        ++touching_[name];
      }
    }
  }

  // What each level saves in each group is measured with all groups at that level.
  absl::StatusOr<std::vector<Counts>> climbable() {
    count_touching();
    const std::vector<Counts> all = levels();
    std::vector<model::Variant> variants(1, options_.base);
    TS_RETURN_IF_ERROR(add_variants(options_.base, all, variants));
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants));
    std::vector<optimize::LocalCosts> costs;
    for (const profile::Profile& profile : profiles) costs.emplace_back(graph_, profile);
    std::vector<std::vector<optimize::PruneLevel>> groups(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const std::vector<double> before = time_of(costs[0], g);
      for (std::size_t level = 0; level < counts_[g].size(); ++level) {
        const auto saving = optimize::saving_of(before, time_of(costs[level + 1], g));
        const std::size_t dropped = counts_[g][level];
        groups[g].push_back(
            {dropped, saving.low > 0 ? saving.ns : 0, removals_[g].error[dropped - 1]});
      }
    }
    return optimize::prune_ladder(groups);
  }

  // Counted from 1; 0: none.
  absl::StatusOr<std::size_t> accurate(const std::vector<Counts>& rungs) {
    std::set<std::size_t> looked_at;
    for (std::size_t rung = 1; rung < rungs.size(); rung *= 2) looked_at.insert(rung);
    looked_at.insert(rungs.size());
    std::size_t highest = 0;
    std::size_t above = rungs.size() + 1;  // the lowest that drops too much
    while (!looked_at.empty()) {
      TS_ASSIGN_OR_RETURN(const std::vector<double> drops, glance(rungs, looked_at));
      std::size_t i = 0;
      for (const std::size_t rung : looked_at) {
        const bool good = drops[i++] <= options_.wanted_drop;
        if (good && rung < above) highest = std::max(highest, rung);
        if (!good) above = std::min(above, rung);
      }
      looked_at.clear();
      if (above - highest < 2 || above > rungs.size()) break;
      for (const std::size_t quarter : {1U, 2U, 3U}) {
        const std::size_t between = highest + (above - highest) * quarter / 4;
        if (between > highest && between < above) looked_at.insert(between);
      }
    }
    if (highest == 0) note("none can be left out without training");
    return highest;
  }

  absl::StatusOr<std::vector<double>> glance(const std::vector<Counts>& rungs,
                                             const std::set<std::size_t>& looked_at) {
    std::vector<Counts> all;
    for (const std::size_t rung : looked_at) all.push_back(rungs[rung - 1]);
    std::vector<model::Variant> variants;
    TS_RETURN_IF_ERROR(add_variants(options_.reference, all, variants));
    TS_ASSIGN_OR_RETURN(std::vector<double> drops, options_.drops(variants, kGlance));
    for (std::size_t i = 0; i < all.size(); ++i) {
      note(fmt::format("{} channels less drop by {:.3f} % at a glance", total(all[i]),
                       drops[i] * 100));
    }
    return drops;
  }

  // The smallest accurate network and one half-way there: fewer channels are not always faster.
  absl::Status race_rungs(const std::vector<Counts>& rungs, std::size_t highest) {
    std::vector<Counts> raced = {rungs[highest - 1]};
    if (highest > 1) raced.push_back(rungs[highest / 2 - 1]);
    std::vector<model::Variant> variants(1, options_.base);
    TS_RETURN_IF_ERROR(add_variants(options_.base, raced, variants));
    TS_ASSIGN_OR_RETURN(const std::vector<Lap> laps,
                        race(track_, "leaving channels out", variants,
                             {.rounds = kPickingRounds, .seed = options_.seed}));
    double best = 1 - kLeastGain;
    for (std::size_t i = 0; i < raced.size(); ++i) {
      const Ratio ratio = ratio_of(laps[0].ms, laps[i + 1].ms, raced.size());
      note(fmt::format("{} channels less: {} of the time", total(raced[i]), to_string(ratio)));
      if (ratio.value >= best) continue;
      best = ratio.value;
      pruning_.recipe = variants[i + 1].recipe;
      pruning_.pays = true;
    }
    return absl::OkStatus();
  }

  const Track& track_;
  optimize::Bench& bench_;
  const model::Graph& graph_;
  const optimize::Samples& samples_;
  const PruningOptions& options_;
  std::vector<model::ChannelGroup> groups_;
  std::vector<std::vector<optimize::Reading>> readings_;  // by group
  std::vector<Counts> counts_;                            // by group: its levels
  std::vector<optimize::Removal> removals_;               // by group
  std::map<std::string, int> touching_;                   // groups, by layer
  Pruning pruning_;
};

}  // namespace

absl::StatusOr<Pruning> choose_pruning(const Track& track, optimize::Bench& bench,
                                       const model::Graph& graph, const optimize::Samples& samples,
                                       const PruningOptions& options) {
  return Stage(track, bench, graph, samples, options).run();
}

}  // namespace tachostat::app

#include "app/optimize/kernels.h"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "base/status.h"
#include "model/steps.h"
#include "optimize/quantise/local_cost.h"

namespace tachostat::app {
namespace {

absl::StatusOr<model::Variant> with_kernels(const model::Variant& variant,
                                            const model::Kernels& kernels) {
  TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(kernels));
  model::Variant changed = variant;
  TS_ASSIGN_OR_RETURN(changed.recipe, model::with_step(variant.recipe, std::move(step)));
  return changed;
}

// Nanoseconds by the name of each of the model's layers, by slice.
using Times = std::map<std::string, std::vector<double>>;

Times times_of(const profile::Profile& profile) {
  Times times;
  for (const profile::LayerProfile& layer : profile.layers) {
    std::vector<double> ns;
    for (const profile::Slice& slice : layer.slices) ns.push_back(slice.mean_ns());
    for (const std::string& original : layer.originals) times.emplace(original, ns);
  }
  return times;
}

class Stage {
 public:
  Stage(const Track& track, optimize::Bench& bench, const model::Variant& variant)
      : track_(track), bench_(bench), variant_(variant) {}

  absl::StatusOr<KernelChoice> run(const std::string& name, std::uint64_t seed) {
    KernelChoice choice{.recipe = variant_.recipe};
    TS_RETURN_IF_ERROR(find_choices());
    if (choices_.empty()) return choice;
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants_));
    const model::Kernels mixed = mix(profiles);
    if (!mixed.layers.empty()) {
      TS_ASSIGN_OR_RETURN(model::Variant one, with_kernels(variant_, mixed));
      variants_.push_back(std::move(one));
      choices_.push_back(mixed);
    }
    TS_ASSIGN_OR_RETURN(
        const std::vector<Lap> laps,
        race(track_, "choosing kernels", variants_, {.rounds = kPickingRounds, .seed = seed}));
    double best = 1 - kLeastGain;
    for (std::size_t i = 1; i < variants_.size(); ++i) {
      const Ratio ratio = ratio_of(laps[0].ms, laps[i].ms, variants_.size() - 1);
      choice.notes.push_back(note(name, i, !mixed.layers.empty(), ratio));
      if (ratio.value >= best) continue;
      best = ratio.value;
      choice.recipe = variants_[i].recipe;
    }
    return choice;
  }

 private:
  // The variant as it is, then with each choice wherever it suits.
  absl::Status find_choices() {
    TS_ASSIGN_OR_RETURN(const model::Graph graph,
                        track_.engine.rewritten(track_.graph, variant_.shapes, variant_.recipe));
    TS_ASSIGN_OR_RETURN(const auto session, track_.engine.load(track_.graph, variant_, nullptr));
    choices_ = track_.engine.kernel_choices(graph, session->applied());
    variants_.assign(1, variant_);
    for (const model::Kernels& choice : choices_) {
      TS_ASSIGN_OR_RETURN(model::Variant one, with_kernels(variant_, choice));
      variants_.push_back(std::move(one));
    }
    return absl::OkStatus();
  }

  // For each layer what saves most for sure. Empty: nothing does, or one choice everywhere.
  model::Kernels mix(const std::vector<profile::Profile>& profiles) const {
    std::vector<Times> times;
    for (const profile::Profile& profile : profiles) times.push_back(times_of(profile));
    std::map<std::string, std::pair<double, const model::Kernels::Layer*>> best;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      for (const model::Kernels::Layer& layer : choices_[i].layers) {
        const auto before = times[0].find(layer.layer);
        const auto after = times[i + 1].find(layer.layer);
        if (before == times[0].end() || after == times[i + 1].end()) continue;
        const optimize::Saving saving = optimize::saving_of(before->second, after->second);
        auto& [most, chosen] = best[layer.layer];
        if (saving.low <= 0 || saving.ns <= most) continue;
        most = saving.ns;
        chosen = &layer;
      }
    }
    model::Kernels mixed;
    for (const auto& [layer, one] : best) {
      if (one.second != nullptr) mixed.layers.push_back(*one.second);
    }
    return mixed;
  }

  std::string note(const std::string& name, std::size_t i, bool is_mixed,
                   const Ratio& ratio) const {
    const model::Kernels& choice = choices_[i - 1];
    const std::string what = is_mixed && i + 1 == variants_.size()
                                 ? "what was faster"
                                 : choice.layers.front().kinds.front() + " first";
    return fmt::format("{}: {} at {} layers: {} of the time", name, what, choice.layers.size(),
                       to_string(ratio));
  }

  const Track& track_;
  optimize::Bench& bench_;
  const model::Variant& variant_;
  std::vector<model::Kernels> choices_;
  std::vector<model::Variant> variants_;
};

}  // namespace

absl::StatusOr<KernelChoice> choose_kernels(const Track& track, optimize::Bench& bench,
                                            const model::Variant& variant, const std::string& name,
                                            std::uint64_t seed) {
  return Stage(track, bench, variant).run(name, seed);
}

}  // namespace tachostat::app

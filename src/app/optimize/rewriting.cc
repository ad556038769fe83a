#include "app/optimize/rewriting.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/optimize/line_up.h"
#include "base/status.h"
#include "model/steps.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

constexpr int kRounds = 16;
// Of the time: what a kind must save at least. The final race decides with proof; this only keeps
// recipes short.
constexpr double kLeastGain = 0.005;

absl::StatusOr<model::Recipe> recipe_of(const std::vector<model::Rewrite>& rewrites) {
  std::vector<model::Recipe::Step> steps;
  for (const model::Rewrite& rewrite : rewrites) {
    TS_ASSIGN_OR_RETURN(model::Recipe::Step step, model::to_step(rewrite));
    steps.push_back(std::move(step));
  }
  return model::Recipe::Create("rewritten", std::move(steps));
}

class Stage {
 public:
  Stage(base::Clock& clock, engine::Engine& engine, const model::Graph& declared,
        const std::vector<engine::Tensor>& inputs, Journal& journal,
        const RewritingOptions& options)
      : clock_(clock),
        engine_(engine),
        declared_(declared),
        inputs_(inputs),
        journal_(journal),
        options_(options) {}

  absl::StatusOr<Rewriting> run() {
    TS_ASSIGN_OR_RETURN(const auto found, engine_.rewrites(declared_, options_.base.shapes));
    if (found.empty()) return Rewriting();
    TS_ASSIGN_OR_RETURN(const auto times, race(found));
    Rewriting rewriting;
    std::vector<model::Rewrite> kept;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Ratio ratio = ratio_of(times[0], times[i + 1], found.size());
      const bool keep = ratio.value < 1 - kLeastGain;
      rewriting.notes.push_back(
          fmt::format("{} at {} {}: {:.3f} ({:.3f}–{:.3f}) of the time, {}", found[i].pass,
                      found[i].layers.size(), found[i].layers.size() == 1 ? "place" : "places",
                      ratio.value, ratio.low, ratio.high, keep ? "taken" : "left"));
      if (keep) kept.push_back(found[i]);
    }
    TS_ASSIGN_OR_RETURN(rewriting.recipe, recipe_of(kept));
    return rewriting;
  }

 private:
  // By kind, after the network as it is: milliseconds by round.
  absl::StatusOr<std::vector<std::vector<double>>> race(const std::vector<model::Rewrite>& found) {
    std::vector<model::Variant> variants(1, options_.base);
    std::string what = "rewrites";
    for (const model::Rewrite& one : found) {
      variants.push_back(options_.base);
      TS_ASSIGN_OR_RETURN(variants.back().recipe, recipe_of({one}));
      what += fmt::format("\n{} {}", variants.back().id(), variants.back().recipe.hash());
    }
    const auto make = [&]() -> absl::StatusOr<std::string> {
      bool stopped = false;
      LineUpOptions line{.rounds = kRounds, .seed = options_.seed};
      line.progress = [&](int done) {
        stopped = options_.progress &&
                  !options_.progress("rewriting the network", static_cast<double>(done) / kRounds);
        return !stopped;
      };
      TS_ASSIGN_OR_RETURN(const auto times,
                          line_up(clock_, engine_, declared_, variants, inputs_, line));
      if (stopped) return absl::CancelledError("rewriting was stopped");
      return Json(times).dump();
    };
    TS_ASSIGN_OR_RETURN(const std::string text, journal_.once(what, make));
    return Json::parse(text).get<std::vector<std::vector<double>>>();
  }

  base::Clock& clock_;
  engine::Engine& engine_;
  const model::Graph& declared_;
  const std::vector<engine::Tensor>& inputs_;
  Journal& journal_;
  const RewritingOptions& options_;
};

}  // namespace

absl::StatusOr<Rewriting> choose_rewrites(base::Clock& clock, engine::Engine& engine,
                                          const model::Graph& declared,
                                          const std::vector<engine::Tensor>& inputs,
                                          Journal& journal, const RewritingOptions& options) {
  return Stage(clock, engine, declared, inputs, journal, options).run();
}

}  // namespace tachostat::app

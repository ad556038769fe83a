#include "optimize/quantise/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/status.h"
#include "model/steps.h"
#include "optimize/quantise/local_cost.h"
#include "optimize/quantise/test_graphs.h"

namespace tachostat::optimize {
namespace {

// A machine that runs every product in 100 µs, an integer one in 40 µs, and takes 10 µs for each
// quantiser, but 90 µs for the costly ones. Every measurement is noisy by `noise`.
class FakeBench final : public Bench {
 public:
  FakeBench(const model::Graph& graph, double noise) : graph_(graph), noise_(noise) {}

  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override {
    ++calls;
    std::vector<profile::Profile> profiles;
    for (const model::Variant& variant : variants) profiles.push_back(profile_of(variant));
    return profiles;
  }

  std::set<std::string> costly;      // quantisers of these layers cost more than they save
  std::set<std::string> no_integer;  // products that have no integer kernel
  int calls = 0;

 private:
  void add(profile::Profile& profile, const std::string& name, const std::string& original,
           double us) {
    profile::LayerProfile layer{.name = name, .originals = {original}};
    for (std::size_t i = 0; i < profile.slices.size(); ++i) {
      std::normal_distribution<double> normal(1, noise_);
      layer.slices.push_back({1, static_cast<std::uint64_t>(us * 1000 * normal(random_))});
    }
    profile.layers.push_back(std::move(layer));
  }

  profile::Profile profile_of(const model::Variant& variant) {
    profile::Profile profile;
    profile.slices.resize(32);
    std::set<std::string> integer;
    if (!variant.recipe.empty()) {
      const auto quantise = model::quantise_from(variant.recipe.steps()[0].arguments);
      for (const auto& weight : quantise->weights) integer.insert(weight.edge.layer);
      for (const auto& activation : quantise->activations) {
        const std::string& layer = activation.edge.layer;
        add(profile, "q", layer + ":0/quantise", costly.contains(layer) ? 90 : 10);
      }
    }
    for (const model::Layer& layer : graph_.layers) {
      const bool product = layer.type == "Convolution";
      const bool faster = integer.contains(layer.name) && !no_integer.contains(layer.name);
      add(profile, layer.name, layer.name, product ? (faster ? 40 : 100) : 1);
    }
    return profile;
  }

  const model::Graph& graph_;
  const double noise_;
  std::mt19937 random_{7};
};

Calibration calibration_of(const model::Graph& graph) {
  Calibration calibration;
  for (const Switch& one : find_switches(graph)) {
    for (const model::Edge& edge : one.activations) {
      calibration[source_of(graph, edge)].add(std::vector<float>{-1, 0, 2}, {3}, false);
    }
  }
  return calibration;
}

std::set<std::string> quantised(const model::Graph& graph, const std::vector<Switch>& switches,
                                const Placement& placement) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    if (placement[i]) names.insert(graph.layers[static_cast<std::size_t>(switches[i].layer)].name);
  }
  return names;
}

TEST(Search, KeepsAQuantiserOnlyWhereItSavesMoreThanItCosts) {
  const model::Graph graph = long_chain(12);
  const auto switches = find_switches(graph);
  FakeBench bench(graph, 0.05);
  bench.costly = {"conv3", "conv8"};
  bench.no_integer = {"conv5"};
  const auto result = search_placement(graph, switches, calibration_of(graph), bench, {});
  ASSERT_TRUE(result.ok()) << result.status();
  std::set<std::string> expected;
  for (int i = 0; i < 12; ++i) expected.insert("conv" + std::to_string(i));
  for (const char* name : {"conv3", "conv8", "conv5"}) expected.erase(name);
  EXPECT_EQ(quantised(graph, switches, result->placement), expected);
  EXPECT_LT(result->ns, result->f32_ns);
  // Far fewer compilations than choices × choices.
  EXPECT_LT(bench.calls, 30);
}

TEST(Search, SaysSoWhenNothingPays) {
  const model::Graph graph = long_chain(5);
  const auto switches = find_switches(graph);
  FakeBench bench(graph, 0.02);
  for (int i = 0; i < 5; ++i) bench.no_integer.insert("conv" + std::to_string(i));
  const auto result = search_placement(graph, switches, calibration_of(graph), bench, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->recipe.empty());
  EXPECT_EQ(count_on(result->placement), 0);
}

TEST(Search, TheSameSeedTriesTheSame) {
  const model::Graph graph = long_chain(8);
  const auto switches = find_switches(graph);
  std::vector<std::string> hashes;
  for (int i = 0; i < 2; ++i) {
    FakeBench bench(graph, 0.05);
    bench.costly = {"conv2"};
    const auto result = search_placement(graph, switches, calibration_of(graph), bench, {});
    ASSERT_TRUE(result.ok()) << result.status();
    hashes.emplace_back(result->recipe.hash());
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(Search, AnInterruptEndsItWithTheBestSoFar) {
  const model::Graph graph = long_chain(8);
  const auto switches = find_switches(graph);
  FakeBench bench(graph, 0.02);
  PlacementSearchOptions options;
  options.progress = [](int done, int, const std::string&) { return done < 1; };
  const auto result = search_placement(graph, switches, calibration_of(graph), bench, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->recipe.empty());
}

TEST(Placement, AnEdgeThatWasNotCalibratedIsAnError) {
  const model::Graph graph = chain();
  const auto switches = find_switches(graph);
  const auto recipe = recipe_of(graph, switches, Placement(switches.size(), true), {}, {});
  EXPECT_EQ(recipe.status().code(), absl::StatusCode::kNotFound);
}

TEST(Placement, OneSourceGetsOneRange) {
  const model::Graph graph = residual();
  const auto switches = find_switches(graph);
  const auto recipe = recipe_of(graph, switches, Placement(switches.size(), true),
                                calibration_of(graph), {.symmetric = false});
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  const auto quantise = model::quantise_from(recipe->steps()[0].arguments);
  std::map<std::string, std::set<float>> lows;
  for (const auto& activation : quantise->activations) {
    lows[source_of(graph, activation.edge)].insert(activation.low[0]);
  }
  for (const auto& [source, ends] : lows) EXPECT_EQ(ends.size(), 1U) << source;
}

TEST(Saving, AFewBadMomentsDoNotDecide) {
  std::vector<double> before(32, 100);
  std::vector<double> after(32, 90);
  for (std::size_t i = 0; i < 6; ++i) after[i * 5] = 1000;
  const Saving saving = saving_of(before, after);
  EXPECT_EQ(saving.ns, 10);
  EXPECT_GT(saving.low, 0);
  after = before;
  for (std::size_t i = 0; i < 32; i += 2) after[i] = 50;
  EXPECT_LE(saving_of(before, after).low, 0);
}

}  // namespace
}  // namespace tachostat::optimize

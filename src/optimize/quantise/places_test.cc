#include "optimize/quantise/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimize/calibrate.h"
#include "optimize/quantise/local_cost.h"
#include "optimize/quantise/test_graphs.h"

namespace tachostat::optimize {
namespace {

using model::Edge;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Switch* find(const std::vector<Switch>& switches, const model::Graph& graph,
                   const std::string& layer, Switch::Kind kind) {
  for (const Switch& one : switches) {
    if (graph.layers[static_cast<std::size_t>(one.layer)].name == layer && one.kind == kind) {
      return &one;
    }
  }
  return nullptr;
}

TEST(Places, AProductTakesItsInputAndItsWeights) {
  const model::Graph graph = chain();
  const auto switches = find_switches(graph);
  const Switch* const conv = find(switches, graph, "conv1", Switch::Kind::kProduct);
  ASSERT_NE(conv, nullptr);
  EXPECT_THAT(conv->activations, ElementsAre(Edge{"conv1", 0}));
  EXPECT_THAT(conv->weights, ElementsAre(Edge{"conv1", 1}));
  EXPECT_FALSE(conv->symmetric);
}

TEST(Places, AQuantiserStandsInFrontOfLayersThatOnlyMoveValues) {
  const model::Graph graph = chain();
  const auto switches = find_switches(graph);
  // relu → pool → reshape → conv2: in front of the pool.
  const Switch* const conv = find(switches, graph, "conv2", Switch::Kind::kProduct);
  ASSERT_NE(conv, nullptr);
  EXPECT_THAT(conv->activations, ElementsAre(Edge{"pool", 0}));
}

TEST(Places, EachInputOfASumIsAChoiceAndAConcatenationIsOne) {
  const model::Graph graph = residual();
  const auto switches = find_switches(graph);
  int sums = 0;
  for (const Switch& one : switches) {
    if (graph.layers[static_cast<std::size_t>(one.layer)].name != "sum") continue;
    ++sums;
    // The branch that a convolution makes is added inside its kernel.
    EXPECT_EQ(one.symmetric, one.activations[0].input == 0);
  }
  EXPECT_EQ(sums, 2);
  const Switch* const concat = find(switches, graph, "concat", Switch::Kind::kJoin);
  ASSERT_NE(concat, nullptr);
  EXPECT_EQ(concat->activations.size(), 2U);
}

TEST(Places, BiasesAndIntegersAreNoChoice) {
  model::Graph graph = chain();
  const auto has_bias = [&] {
    return find(find_switches(graph), graph, "bias", Switch::Kind::kJoin) != nullptr;
  };
  EXPECT_FALSE(has_bias());
  for (model::Layer& layer : graph.layers) {
    for (model::Value& value : layer.inputs) value.type = model::DataType::kI32;
  }
  EXPECT_THAT(find_switches(graph), IsEmpty());
}

TEST(Places, EdgesWithOneSourceAreOneTensor) {
  const model::Graph graph = residual();
  EXPECT_EQ(source_of(graph, {"conv2", 0}), source_of(graph, {"sum", 1}));
  EXPECT_NE(source_of(graph, {"sum", 0}), source_of(graph, {"sum", 1}));
}

TEST(Places, ANeighbourhoodEndsAtTheNextProducts) {
  const model::Graph graph = long_chain(6);
  const auto switches = find_switches(graph);
  const LayerSet around = neighbourhood(graph, switches[2]);
  EXPECT_TRUE(around.contains(graph.find_layer("conv1")));
  EXPECT_TRUE(around.contains(graph.find_layer("conv2")));
  EXPECT_TRUE(around.contains(graph.find_layer("conv3")));
  EXPECT_FALSE(around.contains(graph.find_layer("conv0")));
  EXPECT_FALSE(around.contains(graph.find_layer("conv4")));
}

}  // namespace
}  // namespace tachostat::optimize

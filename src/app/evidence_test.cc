#include "app/evidence.h"

#include <gtest/gtest.h>

#include "model/work.h"

namespace tachostat::app {
namespace {

constexpr model::DataType kF32 = model::DataType::kF32;

model::Layer layer(const std::string& name, const std::string& type, std::vector<int> producers,
                   std::vector<model::Value> inputs) {
  model::Layer made;
  made.name = name;
  made.type = type;
  made.producers = std::move(producers);
  made.inputs = std::move(inputs);
  made.outputs = {{.type = kF32, .shape = {4, 8}}};
  made.work = model::count_work(made, {});
  return made;
}

// relu -> matmul -> add, the last two run as one layer.
model::Graph linear_graph() {
  const model::Value x = {.type = kF32, .shape = {4, 8}};
  const auto weight = [](model::Shape shape) {
    return model::Value{.type = kF32, .shape = std::move(shape), .constant = true};
  };
  model::Graph graph;
  graph.name = "linear";
  graph.inputs = {{"x", kF32, {4, 8}}};
  graph.layers = {layer("relu", "Relu", {-1}, {x}),
                  layer("matmul", "MatMul", {0, -1}, {x, weight({8, 8})}),
                  layer("add", "Add", {1, -1}, {x, weight({8})})};
  return graph;
}

profile::SessionInfo info_of(std::vector<std::vector<std::string>> originals,
                             const model::AppliedTypes& types = {}) {
  const model::Graph graph = linear_graph();
  engine::Applied applied{.precision = "f32", .threads = 2, .streams = 2};
  for (auto& names : originals) {
    engine::AppliedLayer executed;
    executed.name = names.back();
    executed.originals = std::move(names);
    executed.weight_type = types.weights;
    executed.input_type = types.inputs;
    executed.output_type = types.outputs;
    applied.layers.push_back(std::move(executed));
  }
  return session_info(graph, graph.inputs, model::Variant(), applied);
}

TEST(SessionInfo, CountsWhatTheEngineFusedWithoutSayingSo) {
  const auto info = info_of({{"relu"}, {"add"}});
  ASSERT_EQ(info.layers.size(), 2U);
  EXPECT_EQ(info.layers[0].originals, (std::vector<std::string>{"relu"}));
  EXPECT_EQ(info.layers[1].originals, (std::vector<std::string>{"add", "matmul"}));
  EXPECT_DOUBLE_EQ(info.layers[1].work.flops, 512 + 32);
  EXPECT_DOUBLE_EQ(info.layers[1].work.weight_bytes, 4 * 72);
  // What the matmul hands to the add stays inside.
  EXPECT_DOUBLE_EQ(info.layers[1].work.input_bytes, 128);
  EXPECT_DOUBLE_EQ(info.layers[1].work.output_bytes, 128);
}

TEST(SessionInfo, CountsBytesAsTheEngineRunsThem) {
  const auto info = info_of({{"matmul", "add"}}, {.weights = model::DataType::kI8,
                                                  .inputs = model::DataType::kU8,
                                                  .outputs = model::DataType::kBF16});
  EXPECT_DOUBLE_EQ(info.layers[0].work.flops, 576);  // with the relu that no layer claims
  EXPECT_DOUBLE_EQ(info.layers[0].work.weight_bytes, 72);
  EXPECT_DOUBLE_EQ(info.layers[0].work.input_bytes, 32);
  EXPECT_DOUBLE_EQ(info.layers[0].work.output_bytes, 64);
}

TEST(SessionInfo, CountsNothingTwice) {
  const auto info = info_of({{"relu"}, {"matmul", "add"}});
  EXPECT_DOUBLE_EQ(info.layers[0].work.flops + info.layers[1].work.flops, 576);
}

TEST(SessionInfo, KnowsThreadsPerStreamAndFixedShapes) {
  const auto info = info_of({{"relu"}});
  EXPECT_EQ(info.threads, 1);
  EXPECT_EQ(info.streams, 2);
  EXPECT_TRUE(info.static_shapes);
}

TEST(SessionInfo, GivesNoWorkToLayersThatTheModelDoesNotName) {
  const auto info = info_of({{"reorder_1"}});
  EXPECT_EQ(info.layers[0].work.flops, -1);
}

}  // namespace
}  // namespace tachostat::app

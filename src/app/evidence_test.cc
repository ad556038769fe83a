#include "app/evidence.h"

#include <gtest/gtest.h>

namespace tachostat::app {
namespace {

model::Layer layer(const std::string& name, const std::string& type, std::vector<int> producers,
                   model::Work work) {
  model::Layer made;
  made.name = name;
  made.type = type;
  made.producers = std::move(producers);
  made.work = work;
  return made;
}

// relu -> matmul -> add, the last two run as one layer.
model::Graph linear_graph() {
  model::Graph graph;
  graph.name = "linear";
  graph.inputs = {{"x", model::DataType::kF32, {1, 8}}};
  graph.layers = {layer("relu", "Relu", {-1},
                        {.flops = 8, .weight_bytes = 0, .input_bytes = 32, .output_bytes = 32}),
                  layer("matmul", "MatMul", {0, -1},
                        {.flops = 256, .weight_bytes = 512, .input_bytes = 32, .output_bytes = 64}),
                  layer("add", "Add", {1, -1},
                        {.flops = 16, .weight_bytes = 64, .input_bytes = 64, .output_bytes = 64})};
  return graph;
}

profile::SessionInfo info_of(std::vector<std::vector<std::string>> originals) {
  const model::Graph graph = linear_graph();
  engine::Applied applied{.precision = "f32", .threads = 2, .streams = 2};
  for (auto& names : originals) {
    engine::AppliedLayer executed;
    executed.name = names.back();
    executed.originals = std::move(names);
    applied.layers.push_back(std::move(executed));
  }
  return session_info(graph, graph.inputs, model::Variant(), applied);
}

TEST(SessionInfo, CountsWhatTheEngineFusedWithoutSayingSo) {
  const auto info = info_of({{"relu"}, {"add"}});
  ASSERT_EQ(info.layers.size(), 2U);
  EXPECT_EQ(info.layers[0].originals, (std::vector<std::string>{"relu"}));
  EXPECT_EQ(info.layers[1].originals, (std::vector<std::string>{"add", "matmul"}));
  EXPECT_DOUBLE_EQ(info.layers[1].work.flops, 272);
  EXPECT_DOUBLE_EQ(info.layers[1].work.weight_bytes, 576);
  // What the matmul hands to the add stays inside.
  EXPECT_DOUBLE_EQ(info.layers[1].work.input_bytes, 32);
  EXPECT_DOUBLE_EQ(info.layers[1].work.output_bytes, 64);
}

TEST(SessionInfo, CountsNothingTwice) {
  const auto info = info_of({{"relu"}, {"matmul", "add"}});
  EXPECT_DOUBLE_EQ(info.layers[0].work.flops + info.layers[1].work.flops, 280);
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

#include <gtest/gtest.h>

#include "model/work.h"

namespace tachostat::model {
namespace {

Value f32(Shape shape) { return {.type = DataType::kF32, .shape = std::move(shape)}; }
Value weight(Shape shape) {
  return {.type = DataType::kF32, .shape = std::move(shape), .constant = true};
}

// Adds a layer that reads the named producers (-1: from outside or a weight).
class GraphMaker {
 public:
  int add(const std::string& type, const std::vector<std::pair<int, Value>>& inputs, Value output) {
    Layer layer{.name = type, .type = type};
    for (const auto& [producer, value] : inputs) {
      layer.producers.push_back(producer);
      layer.inputs.push_back(value);
    }
    layer.outputs.push_back(std::move(output));
    layer.work = count_work(layer, {});
    graph.layers.push_back(std::move(layer));
    return static_cast<int>(graph.layers.size()) - 1;
  }

  Graph graph{};
};

// x → matmul → add (bias) → add (the relu of x) → reshape.
struct Residual {
  Residual() {
    relu = maker.add("Relu", {{-1, f32({4, 8})}}, f32({4, 8}));
    matmul = maker.add("MatMul", {{-1, f32({4, 8})}, {-1, weight({8, 8})}}, f32({4, 8}));
    bias = maker.add("Add", {{matmul, f32({4, 8})}, {-1, weight({8})}}, f32({4, 8}));
    sum = maker.add("Add", {{bias, f32({4, 8})}, {relu, f32({4, 8})}}, f32({4, 8}));
    view = maker.add(
        "Reshape",
        {{sum, f32({4, 8})}, {-1, {.type = DataType::kI64, .shape = {1}, .constant = true}}},
        f32({32}));
  }

  GraphMaker maker;
  int relu, matmul, bias, sum, view;
};

constexpr double kValue = 4.0 * 8 * 4;  // bytes of one activation

TEST(FusedWork, KeepsWhatPassesBetweenItsLayersInside) {
  const Residual made;
  const FusedWork fused(made.maker.graph);
  const std::vector layers = {made.sum, made.matmul, made.bias};
  const Work work = fused.of(layers, {});
  EXPECT_EQ(work.flops, 2 * 4 * 8 * 8 + 32 + 32);
  EXPECT_EQ(work.weight_bytes, 4 * (64 + 8));
  EXPECT_EQ(work.input_bytes, 2 * kValue);  // x, and the relu that the second sum adds
  EXPECT_EQ(work.output_bytes, kValue);
}

TEST(FusedWork, OneLayerAloneIsItsOwnCount) {
  const Residual made;
  const std::vector layers = {made.matmul};
  const Work work = FusedWork(made.maker.graph).of(layers, {});
  const Work& own = made.maker.graph.layers[static_cast<std::size_t>(made.matmul)].work;
  EXPECT_EQ(work.flops, own.flops);
  EXPECT_EQ(work.bytes(), own.bytes());
}

TEST(FusedWork, WritesWhatIsUsedOutside) {
  const Residual made;
  // The bias's sum goes on to a layer that is not inside.
  const std::vector layers = {made.matmul, made.bias};
  EXPECT_EQ(FusedWork(made.maker.graph).of(layers, {}).output_bytes, kValue);
  // Of these two, both outputs are used outside.
  const std::vector apart = {made.relu, made.matmul};
  EXPECT_EQ(FusedWork(made.maker.graph).of(apart, {}).output_bytes, 2 * kValue);
}

TEST(FusedWork, ReadsAValueOnceHoweverManyOfItsLayersUseIt) {
  GraphMaker maker;
  const int relu = maker.add("Relu", {{-1, f32({4, 8})}}, f32({4, 8}));
  const int sigmoid = maker.add("Sigmoid", {{relu, f32({4, 8})}}, f32({4, 8}));
  const int product =
      maker.add("Multiply", {{relu, f32({4, 8})}, {sigmoid, f32({4, 8})}}, f32({4, 8}));
  const std::vector layers = {sigmoid, product};
  EXPECT_EQ(FusedWork(maker.graph).of(layers, {}).input_bytes, kValue);
}

TEST(FusedWork, ViewsPassOnButDoNotMove) {
  const Residual made;
  const FusedWork fused(made.maker.graph);
  const std::vector with_view = {made.sum, made.view};
  EXPECT_EQ(fused.of(with_view, {}).input_bytes, 2 * kValue);
  EXPECT_EQ(fused.of(with_view, {}).output_bytes, kValue);
  EXPECT_EQ(fused.of(with_view, {}).weight_bytes, 0);
  const std::vector only = {made.view};
  EXPECT_EQ(fused.of(only, {}).bytes(), 0);
}

TEST(FusedWork, CountsBytesAtTheTypesThatWereApplied) {
  const Residual made;
  const std::vector layers = {made.matmul, made.bias, made.sum};
  const Work work =
      FusedWork(made.maker.graph)
          .of(layers,
              {.weights = DataType::kI8, .inputs = DataType::kU8, .outputs = DataType::kBF16});
  EXPECT_EQ(work.weight_bytes, 72);
  EXPECT_EQ(work.input_bytes, 2 * kValue / 4);
  EXPECT_EQ(work.output_bytes, kValue / 2);
}

TEST(FusedWork, NothingIsUnknown) {
  const Residual made;
  EXPECT_EQ(FusedWork(made.maker.graph).of({}, {}).flops, -1);
}

TEST(WithTypes, LeavesIndicesAndOperationsAlone) {
  GraphMaker maker;
  const int gather =
      maker.add("Gather", {{-1, weight({1000, 8})}, {-1, {.type = DataType::kI64, .shape = {2}}}},
                f32({2, 8}));
  const Work work =
      with_types(maker.graph.layers[static_cast<std::size_t>(gather)],
                 {.weights = DataType::kF16, .inputs = DataType::kF16, .outputs = DataType::kF32});
  EXPECT_EQ(work.weight_bytes, 32);  // two rows
  EXPECT_EQ(work.input_bytes, 16);   // two i64
  EXPECT_EQ(work.output_bytes, 64);
  EXPECT_EQ(work.flops, 0);
}

}  // namespace
}  // namespace tachostat::model

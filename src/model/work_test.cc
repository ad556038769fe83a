#include "model/work.h"

#include <gtest/gtest.h>

namespace tachostat::model {
namespace {

Value f32(Shape shape) { return {.type = DataType::kF32, .shape = std::move(shape)}; }
Value weight(Shape shape) {
  return {.type = DataType::kF32, .shape = std::move(shape), .constant = true};
}

Work count(const std::string& type, std::vector<Value> inputs, std::vector<Value> outputs,
           double window = -1) {
  Layer layer{.name = "layer", .type = type};
  layer.inputs = std::move(inputs);
  layer.outputs = std::move(outputs);
  return count_work(layer, {.window = window});
}

TEST(WorkTest, Convolution) {
  // 3×3, 8 → 16 channels, 10×10 out.
  const Work work =
      count("Convolution", {f32({1, 8, 12, 12}), weight({16, 8, 3, 3})}, {f32({1, 16, 10, 10})});
  EXPECT_EQ(work.flops, 2.0 * 16 * 100 * 8 * 9);
  EXPECT_EQ(work.weight_bytes, 4.0 * 16 * 8 * 9);
  EXPECT_EQ(work.input_bytes, 4.0 * 8 * 144);
  EXPECT_EQ(work.output_bytes, 4.0 * 16 * 100);
  EXPECT_EQ(work.bytes(), work.weight_bytes + work.input_bytes + work.output_bytes);
}

TEST(WorkTest, GroupConvolution) {
  const Work depthwise = count("GroupConvolution", {f32({1, 8, 12, 12}), weight({8, 1, 1, 3, 3})},
                               {f32({1, 8, 10, 10})});
  EXPECT_EQ(depthwise.flops, 2.0 * 800 * 9);
}

TEST(WorkTest, ConvolutionBackprop) {
  // Weights [in, out, 2, 2] with stride 2: every input element reaches out × 4 places.
  const Work work = count("ConvolutionBackpropData", {f32({1, 8, 5, 5}), weight({8, 4, 2, 2})},
                          {f32({1, 4, 10, 10})});
  EXPECT_EQ(work.flops, 2.0 * 8 * 25 * 4 * 4);
  const Work grouped = count("GroupConvolutionBackpropData",
                             {f32({1, 8, 5, 5}), weight({2, 4, 3, 2, 2})}, {f32({1, 6, 10, 10})});
  EXPECT_EQ(grouped.flops, 2.0 * 8 * 25 * 3 * 4);
}

TEST(WorkTest, DeformableConvolutionAlsoReadsBetweenPlaces) {
  const double products = 2.0 * 16 * 100 * 8 * 9;
  const double samples = 8.0 * 9 * 100;
  const Work work = count("DeformableConvolution",
                          {f32({1, 8, 12, 12}), f32({1, 18, 10, 10}), weight({16, 8, 3, 3})},
                          {f32({1, 16, 10, 10})});
  EXPECT_EQ(work.flops, products + 8 * samples);
  const Work masked =
      count("DeformableConvolution",
            {f32({1, 8, 12, 12}), f32({1, 18, 10, 10}), weight({16, 8, 3, 3}), f32({1, 9, 10, 10})},
            {f32({1, 16, 10, 10})});
  EXPECT_EQ(masked.flops, products + 9 * samples);
}

TEST(WorkTest, ProductsOfOtherKinds) {
  EXPECT_EQ(count("GroupedMatMul", {f32({6, 7}), weight({2, 3, 7}), f32({2})}, {f32({6, 3})}).flops,
            2.0 * 6 * 7 * 3);
  EXPECT_EQ(count("Inverse", {f32({4, 3, 3})}, {f32({4, 3, 3})}).flops, 4 * 2.0 * 27);
  EXPECT_EQ(count("Inverse", {f32({kDynamic, 3, 3})}, {f32({kDynamic, 3, 3})}).flops, -1);
  EXPECT_EQ(count("ScaledDotProductAttention",
                  {f32({1, 2, 5, 8}), f32({1, 2, 7, 8}), f32({1, 2, 7, 4})}, {f32({1, 2, 5, 4})})
                .flops,
            2.0 * 5 * 7 * (16 + 8 + 5));
}

TEST(WorkTest, EmbeddingBagsReadARowPerIndex) {
  Value indices{.type = DataType::kI64, .shape = {2, 3}};
  const Work work = count("EmbeddingBagPackedSum", {weight({1000, 8}), indices}, {f32({2, 8})});
  EXPECT_EQ(work.flops, 48);
  EXPECT_EQ(work.weight_bytes, 4.0 * 6 * 8);
}

TEST(WorkTest, ShortTimeTransforms) {
  // 8 points make 5 frequencies; 10 frames.
  const Work work = count("STFT", {f32({44}), weight({8})}, {f32({5, 10, 2})});
  EXPECT_EQ(work.flops, 10 * 8 * (2.5 * 3 + 1));
}

TEST(WorkTest, SearchesTakeALogarithm) {
  EXPECT_EQ(count("Bucketize", {f32({10}), weight({64})}, {f32({10})}).flops, 60);
  EXPECT_EQ(count("SearchSorted", {f32({64}), f32({10})}, {f32({10})}).flops, 60);
}

TEST(WorkTest, SlicesReadWhatTheyReturn) {
  Value begin{.type = DataType::kI64, .shape = {1}, .constant = true};
  EXPECT_EQ(count("Slice", {f32({100}), begin, begin}, {f32({10})}).input_bytes, 40);
}

TEST(WorkTest, MatMulWhateverIsTransposed) {
  const double flops = 2.0 * 5 * 7 * 3;
  EXPECT_EQ(count("MatMul", {f32({5, 7}), weight({7, 3})}, {f32({5, 3})}).flops, flops);
  EXPECT_EQ(count("MatMul", {f32({7, 5}), weight({3, 7})}, {f32({5, 3})}).flops, flops);
  EXPECT_EQ(count("MatMul", {f32({2, 5, 7}), f32({2, 7, 3})}, {f32({2, 5, 3})}).flops, 2 * flops);
  EXPECT_EQ(count("MatMul", {f32({2, 4, 5, 7}), f32({7, 3})}, {f32({2, 4, 5, 3})}).flops,
            8 * flops);
  EXPECT_EQ(count("MatMul", {f32({7}), f32({7, 3})}, {f32({3})}).flops, 2.0 * 7 * 3);
  EXPECT_EQ(count("MatMul", {f32({4, 5, 7}), f32({7})}, {f32({4, 5})}).flops, 2.0 * 4 * 5 * 7);
  EXPECT_EQ(count("MatMul", {f32({7}), f32({7})}, {f32({})}).flops, 14);
  EXPECT_EQ(count("MatMul", {f32({0, 7}), f32({7, 3})}, {f32({0, 3})}).flops, 0);
}

TEST(WorkTest, PoolingNeedsItsWindow) {
  EXPECT_EQ(count("MaxPool", {f32({1, 4, 8, 8})}, {f32({1, 4, 4, 4})}, 9).flops, 64 * 9);
  EXPECT_EQ(count("MaxPool", {f32({1, 4, 8, 8})}, {f32({1, 4, 4, 4})}).flops, -1);
  EXPECT_EQ(count("Interpolate", {f32({1, 1, 2, 2})}, {f32({1, 1, 4, 4})}, 0).flops, 0);
  EXPECT_EQ(count("Interpolate", {f32({1, 1, 2, 2})}, {f32({1, 1, 4, 4})}, 4).flops, 128);
}

TEST(WorkTest, ElementwiseAndReductions) {
  EXPECT_EQ(count("Add", {f32({2, 3}), weight({3})}, {f32({2, 3})}).flops, 6);
  EXPECT_EQ(count("Sigmoid", {f32({10})}, {f32({10})}).flops, 30);
  EXPECT_EQ(count("ReduceMean", {f32({4, 10})}, {f32({4})}).flops, 40);
  EXPECT_EQ(count("Softmax", {f32({4, 10})}, {f32({4, 10})}).flops, 200);
  EXPECT_EQ(count("FakeQuantize", {f32({10})}, {f32({10})}).flops, 70);
}

TEST(WorkTest, RecurrentSequence) {
  // Two directions, hidden 16, input 8, batch 3, 10 steps.
  const Work lstm = count("LSTMSequence",
                          {f32({3, 10, 8}), f32({3, 2, 16}), f32({3, 2, 16}), f32({3}),
                           weight({2, 64, 8}), weight({2, 64, 16}), weight({2, 64})},
                          {f32({3, 2, 10, 16})});
  EXPECT_EQ(lstm.flops, 2.0 * 3 * 10 * (2 * 64 * 8 + 2 * 64 * 16));
}

TEST(WorkTest, MovesAndViews) {
  const Work transpose = count("Transpose", {f32({2, 3})}, {f32({3, 2})});
  EXPECT_EQ(transpose.flops, 0);
  EXPECT_EQ(transpose.bytes(), 48);
  const Work reshape = count("Reshape", {f32({2, 3}), weight({1})}, {f32({6})});
  EXPECT_EQ(reshape.flops, 0);
  EXPECT_EQ(reshape.bytes(), 0);
}

TEST(WorkTest, GatherReadsOnlyItsRows) {
  Value index{.type = DataType::kI64, .shape = {2}};
  const Work work = count("Gather", {weight({1000, 8}), index}, {f32({2, 8})});
  EXPECT_EQ(work.weight_bytes, 64);
  EXPECT_EQ(work.input_bytes, 16);
}

TEST(WorkTest, UnknownStaysUnknown) {
  const Work dynamic = count("Add", {f32({kDynamic}), weight({1})}, {f32({kDynamic})});
  EXPECT_EQ(dynamic.flops, -1);
  EXPECT_EQ(dynamic.input_bytes, -1);
  EXPECT_EQ(dynamic.weight_bytes, 4);
  EXPECT_EQ(dynamic.bytes(), -1);
  EXPECT_EQ(count("NoSuchOperator", {f32({1})}, {f32({1})}).flops, -1);
  EXPECT_EQ(count("Add", {}, {}).flops, -1);
  EXPECT_EQ(count("Convolution", {f32({1, 8, 4, 4})}, {f32({1, 8, 4, 4})}).flops, -1);
  EXPECT_EQ(count("MatMul", {f32({1})}, {f32({1})}).flops, -1);
  const Work strings = count("Identity", {{.type = DataType::kString, .shape = {1}}}, {});
  EXPECT_EQ(strings.input_bytes, -1);
}

TEST(WorkTest, HalfBytesRoundUp) {
  Value u4{.type = DataType::kU4, .shape = {3}, .constant = true};
  EXPECT_EQ(count("Convert", {u4}, {f32({3})}).weight_bytes, 2);
}

}  // namespace
}  // namespace tachostat::model

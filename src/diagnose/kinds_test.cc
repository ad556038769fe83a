#include "diagnose/kinds.h"

#include <gtest/gtest.h>

namespace tachostat::diagnose {
namespace {

struct Name {
  std::string_view type;
  Kind kind;
};

void expect_kinds(std::initializer_list<Name> names) {
  for (const Name& one : names) EXPECT_EQ(kind_of(one.type), one.kind) << one.type;
}

TEST(KindOf, OpenVino) {
  expect_kinds({{"Convolution", Kind::kConvolution},
                {"GroupConvolution", Kind::kConvolution},
                {"ConvolutionBackpropData", Kind::kTransposedConvolution},
                {"Deconvolution", Kind::kTransposedConvolution},
                {"FullyConnected", Kind::kMatMul},
                {"MatMul", Kind::kMatMul},
                {"LSTMSequence", Kind::kRecurrent},
                {"TensorIterator", Kind::kRecurrent},
                {"Eltwise", Kind::kElementwise},
                {"Subgraph", Kind::kElementwise},
                {"MVN", Kind::kNormalise},
                {"Pooling", Kind::kPooling},
                {"Reduce", Kind::kPooling},
                {"Reorder", Kind::kReorder},
                {"Transpose", Kind::kTranspose},
                {"Convert", Kind::kCast},
                {"FakeQuantize", Kind::kQuantise},
                {"Concatenation", Kind::kConcat},
                {"StridedSlice", Kind::kCopy},
                {"Split", Kind::kCopy},
                {"ShapeOf", Kind::kShape},
                {"Broadcast", Kind::kOther},
                {"Interpolate", Kind::kOther},
                {"TopK", Kind::kOther}});
}

TEST(KindOf, Onnx) {
  expect_kinds({{"Conv", Kind::kConvolution},
                {"QLinearConv", Kind::kConvolution},
                {"ConvTranspose", Kind::kTransposedConvolution},
                {"Gemm", Kind::kMatMul},
                {"MatMulInteger", Kind::kMatMul},
                {"MultiHeadAttention", Kind::kMatMul},
                {"GRU", Kind::kRecurrent},
                {"Add", Kind::kElementwise},
                {"Relu", Kind::kElementwise},
                {"BatchNormalization", Kind::kNormalise},
                {"Softmax", Kind::kNormalise},
                {"GlobalAveragePool", Kind::kPooling},
                {"ReduceMean", Kind::kPooling},
                {"Cast", Kind::kCast},
                {"QuantizeLinear", Kind::kQuantise},
                {"DequantizeLinear", Kind::kQuantise},
                {"DynamicQuantizeLinear", Kind::kDynamicQuantise},
                {"DynamicQuantizeMatMul", Kind::kMatMul},
                {"DynamicQuantizeLSTM", Kind::kRecurrent},
                {"Concat", Kind::kConcat},
                {"Slice", Kind::kCopy},
                {"Shape", Kind::kShape},
                {"ConstantOfShape", Kind::kShape},
                {"MemcpyToHost", Kind::kHostCopy},
                {"MemcpyFromHost", Kind::kHostCopy},
                {"Resize", Kind::kOther}});
}

TEST(KindOf, PyTorch) {
  expect_kinds({{"aten::conv2d", Kind::kConvolution},
                {"aten::_convolution", Kind::kConvolution},
                {"aten::conv_transpose2d", Kind::kTransposedConvolution},
                {"aten::addmm", Kind::kMatMul},
                {"aten::linear", Kind::kMatMul},
                {"aten::scaled_dot_product_attention", Kind::kMatMul},
                {"aten::lstm", Kind::kRecurrent},
                {"aten::add_", Kind::kElementwise},
                {"aten::relu_", Kind::kElementwise},
                {"aten::native_layer_norm", Kind::kNormalise},
                {"aten::max_pool2d", Kind::kPooling},
                {"aten::contiguous", Kind::kReorder},
                {"aten::permute", Kind::kTranspose},
                {"aten::to", Kind::kCast},
                {"aten::_to_copy", Kind::kCast},
                {"aten::quantize_per_tensor", Kind::kQuantise},
                {"aten::dequantize", Kind::kQuantise},
                {"quantized::linear", Kind::kMatMul},
                {"aten::cat", Kind::kConcat},
                {"aten::copy_", Kind::kCopy},
                {"aten::clone", Kind::kCopy},
                {"aten::upsample_bilinear2d", Kind::kOther},
                {"aten::broadcast_tensors", Kind::kOther},
                {"aten::view", Kind::kOther}});
}

TEST(KindOf, Xla) {
  expect_kinds({{"convolution", Kind::kConvolution},
                {"dot", Kind::kMatMul},
                {"dot_general", Kind::kMatMul},
                {"multiply", Kind::kElementwise},
                {"subtract", Kind::kElementwise},
                {"reduce", Kind::kPooling},
                {"reduce-window", Kind::kPooling},
                {"convert", Kind::kCast},
                {"transpose", Kind::kTranspose},
                {"concatenate", Kind::kConcat},
                {"copy", Kind::kCopy},
                {"copy-start", Kind::kCopy},
                {"broadcast", Kind::kOther}});
}

TEST(KindOf, CopiesOfKineto) {
  expect_kinds({{"Memcpy HtoD (Pageable -> Device)", Kind::kHostCopy},
                {"Memcpy DtoH (Device -> Pinned)", Kind::kHostCopy},
                {"[CUDA memcpy Host-to-Device]", Kind::kHostCopy},
                {"[CUDA memcpy Device-to-Host]", Kind::kHostCopy},
                {"Memcpy DtoD (Device -> Device)", Kind::kCopy},
                {"[CUDA memcpy Device-to-Device]", Kind::kCopy},
                {"cudaDeviceSynchronize", Kind::kSynchronise},
                {"cudaStreamSynchronize", Kind::kSynchronise}});
}

TEST(KindOf, TheNameDecidesOnlyWithoutAType) {
  EXPECT_EQ(kind_of("", "conv1"), Kind::kConvolution);
  EXPECT_EQ(kind_of("Pooling", "conv1/pool"), Kind::kPooling);
  EXPECT_EQ(kind_of("TopK", "conv1/topk"), Kind::kOther);
  EXPECT_EQ(kind_of("", ""), Kind::kOther);
}

TEST(KindOf, HeavyAndOverheadExcludeEachOther) {
  for (int i = 0; i <= static_cast<int>(Kind::kOther); ++i) {
    const Kind kind = static_cast<Kind>(i);
    EXPECT_FALSE(is_heavy(kind) && is_overhead(kind)) << i;
  }
}

TEST(BitsOf, AsEnginesSpellThem) {
  EXPECT_EQ(bits_of("f64"), 64);
  EXPECT_EQ(bits_of("tf32"), 32);
  EXPECT_EQ(bits_of("bf16"), 16);
  EXPECT_EQ(bits_of("f8"), 8);
  EXPECT_EQ(bits_of("u8"), 8);
  EXPECT_EQ(bits_of("i4"), 4);
  EXPECT_EQ(bits_of("strange"), 0);
  EXPECT_TRUE(is_integer("u8"));
  EXPECT_FALSE(is_integer("i32"));
}

}  // namespace
}  // namespace tachostat::diagnose

#include "model/work.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

namespace tachostat::model {
namespace {

struct Cost {
  std::string_view type;
  double operations;
};

// Per output element.
constexpr std::array kElementwise = {
    Cost{"Abs", 1},
    Cost{"Acos", 1},
    Cost{"Acosh", 1},
    Cost{"Add", 1},
    Cost{"Asin", 1},
    Cost{"Asinh", 1},
    Cost{"Atan", 1},
    Cost{"Atanh", 1},
    Cost{"BitwiseAnd", 1},
    Cost{"BitwiseNot", 1},
    Cost{"BitwiseOr", 1},
    Cost{"BitwiseXor", 1},
    Cost{"Ceiling", 1},
    Cost{"Clamp", 2},
    Cost{"Cos", 1},
    Cost{"Cosh", 1},
    Cost{"Divide", 1},
    Cost{"Elu", 3},
    Cost{"Equal", 1},
    Cost{"Erf", 1},
    Cost{"Exp", 1},
    Cost{"FakeQuantize", 7},
    Cost{"Floor", 1},
    Cost{"FloorMod", 1},
    Cost{"Gelu", 5},
    Cost{"Greater", 1},
    Cost{"GreaterEqual", 1},
    Cost{"HSigmoid", 4},
    Cost{"HSwish", 5},
    Cost{"HardSigmoid", 4},
    Cost{"IsFinite", 1},
    Cost{"IsInf", 1},
    Cost{"IsNaN", 1},
    Cost{"Less", 1},
    Cost{"LessEqual", 1},
    Cost{"Log", 1},
    Cost{"LogicalAnd", 1},
    Cost{"LogicalNot", 1},
    Cost{"LogicalOr", 1},
    Cost{"LogicalXor", 1},
    Cost{"Maximum", 1},
    Cost{"Minimum", 1},
    Cost{"Mish", 5},
    Cost{"Mod", 1},
    Cost{"Multiply", 1},
    Cost{"Negative", 1},
    Cost{"NotEqual", 1},
    Cost{"PRelu", 2},
    Cost{"Power", 1},
    Cost{"Relu", 1},
    Cost{"Round", 1},
    Cost{"Select", 1},
    Cost{"Selu", 4},
    Cost{"Sigmoid", 3},
    Cost{"Sign", 1},
    Cost{"Sin", 1},
    Cost{"Sinh", 1},
    Cost{"SoftPlus", 3},
    Cost{"SoftSign", 3},
    Cost{"Sqrt", 1},
    Cost{"SquaredDifference", 2},
    Cost{"Subtract", 1},
    Cost{"Swish", 4},
    Cost{"Tan", 1},
    Cost{"Tanh", 1},
    Cost{"ThresholdedRelu", 1},
};

// Per element of the first input.
constexpr std::array kPerInput = {
    Cost{"BatchNormInference", 2},
    Cost{"CumSum", 1},
    Cost{"GRN", 3},
    Cost{"GroupNormalization", 7},
    Cost{"LogSoftmax", 5},
    Cost{"MVN", 5},
    Cost{"NormalizeL2", 3},
    Cost{"RMS", 4},
    Cost{"ReduceL1", 2},
    Cost{"ReduceL2", 2},
    Cost{"ReduceLogicalAnd", 1},
    Cost{"ReduceLogicalOr", 1},
    Cost{"ReduceMax", 1},
    Cost{"ReduceMean", 1},
    Cost{"ReduceMin", 1},
    Cost{"ReduceProd", 1},
    Cost{"ReduceSum", 1},
    Cost{"Softmax", 5},
    Cost{"SoftMax", 5},
    Cost{"TopK", 1},
};

// Move or make values, compute nothing.
constexpr std::array<std::string_view, 36> kMoves = {
    "BatchToSpace",
    "Broadcast",
    "Bucketize",
    "Concat",
    "Convert",
    "ConvertLike",
    "ConvertPromoteTypes",
    "DepthToSpace",
    "EmbeddingBagOffsetsSum",
    "ExtractImagePatches",
    "Eye",
    "GatherElements",
    "GatherND",
    "GatherTree",
    "Identity",
    "NonZero",
    "OneHot",
    "Pad",
    "Range",
    "ReverseSequence",
    "Reverse",
    "Roll",
    "ScatterElementsUpdate",
    "ScatterNDUpdate",
    "ScatterUpdate",
    "ShuffleChannels",
    "Slice",
    "SliceScatter",
    "SpaceToBatch",
    "SpaceToDepth",
    "Split",
    "StridedSlice",
    "Tile",
    "Transpose",
    "VariadicSplit",
    "Unique",
};

constexpr std::array<std::string_view, 6> kViews = {"Flatten", "Reshape",   "ShapeOf",
                                                    "Squeeze", "Unsqueeze", "Assign"};

template <class Table>
double cost_in(const Table& table, std::string_view type) {
  for (const Cost& cost : table) {
    if (cost.type == type) return cost.operations;
  }
  return -1;
}

template <class Names>
bool contains(const Names& names, std::string_view type) {
  return std::find(names.begin(), names.end(), type) != names.end();
}

double elements(const Value& value) {
  return is_static(value.shape) ? static_cast<double>(elements_of(value.shape)) : -1;
}

double bytes_of(const Value& value) {
  const int bits = bits_of(value.type);
  const double count = elements(value);
  return bits == 0 || count < 0 ? -1 : std::ceil(count * bits / 8);
}

double sum_or_unknown(double a, double b) { return a < 0 || b < 0 ? -1 : a + b; }

// The product of dimensions [first, end); the shape must be static and that long.
double product_from(const Shape& shape, std::size_t first) {
  return std::accumulate(
      shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end(), 1.0,
      [](double product, std::int64_t d) { return product * static_cast<double>(d); });
}

// Weights are [out, in, kernel…]; a group's are [groups, out, in, kernel…]. Each output element of
// a forward convolution takes in × kernel multiply-adds, and each input element of a backward one
// goes into out × kernel, where the weights' two channel dimensions are exchanged: in both cases
// the dimensions after the first `skip`.
double convolution(const Value& counted, const Layer& layer, std::size_t skip) {
  if (layer.inputs.size() < 2) return -1;
  const Shape& weights = layer.inputs[1].shape;
  const double count = elements(counted);
  if (count < 0 || !is_static(weights) || weights.size() <= skip) return -1;
  return 2 * count * product_from(weights, skip);
}

// [.., M, K] × [.., K, N] with either side transposed: the last two dimensions of the operands and
// the result multiply to K² × those of the result, whatever the layout; vectors likewise.
double matmul(const Layer& layer) {
  if (layer.inputs.size() < 2) return -1;
  const Shape& a = layer.inputs[0].shape;
  const Shape& b = layer.inputs[1].shape;
  const Shape& out = layer.outputs[0].shape;
  if (!is_static(a) || !is_static(b) || !is_static(out)) return -1;
  const std::size_t vectors = (a.size() == 1 ? 1 : 0) + (b.size() == 1 ? 1 : 0);
  const std::size_t kept = std::min<std::size_t>(2 - vectors, out.size());
  const auto tail = [](const Shape& shape, std::size_t count) {
    return product_from(shape, shape.size() - std::min(count, shape.size()));
  };
  const double result = tail(out, kept);
  if (result == 0) return 0;
  const double depth = std::sqrt(tail(a, 2) * tail(b, 2) / result);
  return 2 * elements(layer.outputs[0]) * std::round(depth);
}

// Inputs hold `weights` [directions, gates × hidden, input] and, next to it, the recurrent ones.
double recurrent(const Layer& layer, std::size_t weights, bool sequence) {
  if (layer.inputs.size() < weights + 2) return -1;
  const Shape& x = layer.inputs[0].shape;
  const double matrices =
      sum_or_unknown(elements(layer.inputs[weights]), elements(layer.inputs[weights + 1]));
  if (matrices < 0 || !is_static(x) || x.size() < (sequence ? 3U : 2U)) return -1;
  const double steps = sequence ? static_cast<double>(x[1]) : 1;
  return 2 * static_cast<double>(x[0]) * steps * matrices;
}

// softmax(q kᵀ) v on [.., L, E], [.., S, E], [.., S, V].
double attention(const Layer& layer) {
  if (layer.inputs.size() < 3) return -1;
  const Shape& q = layer.inputs[0].shape;
  const Shape& k = layer.inputs[1].shape;
  const Shape& v = layer.inputs[2].shape;
  if (!is_static(q) || !is_static(k) || !is_static(v)) return -1;
  if (q.size() < 2 || k.size() < 2 || v.empty()) return -1;
  const double scores = elements(layer.inputs[0]) /
                        std::max<double>(1, static_cast<double>(q.back())) *
                        static_cast<double>(k[k.size() - 2]);
  return scores * (2.0 * static_cast<double>(q.back()) + 2.0 * static_cast<double>(v.back()) + 5);
}

double pooled(const Layer& layer, double window) {
  const double count = elements(layer.outputs[0]);
  return window < 0 || count < 0 ? -1 : count * window;
}

double flops_of(const Layer& layer, const WorkHints& hints) {
  const std::string_view type = layer.type;
  if (contains(kViews, type) || contains(kMoves, type) || type == "Gather") return 0;
  if (layer.outputs.empty() || layer.inputs.empty()) return -1;
  const auto scaled = [](double cost, double count) { return count < 0 ? -1 : cost * count; };
  if (const double cost = cost_in(kElementwise, type); cost > 0) {
    return scaled(cost, elements(layer.outputs[0]));
  }
  if (const double cost = cost_in(kPerInput, type); cost > 0) {
    return scaled(cost, elements(layer.inputs[0]));
  }
  if (type == "Convolution") return convolution(layer.outputs[0], layer, 1);
  if (type == "GroupConvolution") return convolution(layer.outputs[0], layer, 2);
  if (type == "ConvolutionBackpropData") return convolution(layer.inputs[0], layer, 1);
  if (type == "GroupConvolutionBackpropData") return convolution(layer.inputs[0], layer, 2);
  if (type == "MatMul") return matmul(layer);
  if (type == "AvgPool" || type == "MaxPool") return pooled(layer, hints.window);
  if (type == "AdaptiveAvgPool" || type == "AdaptiveMaxPool") {
    return scaled(1, elements(layer.inputs[0]));
  }
  if (type == "Interpolate") return pooled(layer, hints.window < 0 ? -1 : 2 * hints.window);
  if (type == "LSTMSequence") return recurrent(layer, 4, true);
  if (type == "GRUSequence" || type == "RNNSequence") return recurrent(layer, 3, true);
  if (type == "LSTMCell") return recurrent(layer, 3, false);
  if (type == "GRUCell" || type == "RNNCell") return recurrent(layer, 2, false);
  if (type == "ScaledDotProductAttention") return attention(layer);
  return -1;
}

void count_bytes(const Layer& layer, Work& work) {
  work.weight_bytes = work.input_bytes = work.output_bytes = 0;
  if (contains(kViews, layer.type)) return;
  for (const Value& input : layer.inputs) {
    double& total = input.constant ? work.weight_bytes : work.input_bytes;
    total = sum_or_unknown(total, bytes_of(input));
  }
  for (const Value& output : layer.outputs) {
    work.output_bytes = sum_or_unknown(work.output_bytes, bytes_of(output));
  }
  // A look-up reads the rows that it returns, not the whole table.
  if (layer.type == "Gather" && !layer.inputs.empty() && work.output_bytes >= 0) {
    double& total = layer.inputs[0].constant ? work.weight_bytes : work.input_bytes;
    const double table = bytes_of(layer.inputs[0]);
    if (total >= 0) total -= table - std::min(table, work.output_bytes);
  }
}

}  // namespace

Work count_work(const Layer& layer, const WorkHints& hints) {
  Work work;
  work.flops = flops_of(layer, hints);
  count_bytes(layer, work);
  return work;
}

}  // namespace tachostat::model

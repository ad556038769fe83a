// Matrix products, attention, and what is built from them.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// [.., M, K] × [.., K, N] with either side transposed: the last two dimensions of the operands and
// the result multiply to K² × those of the result, whatever the layout; vectors likewise.
double matmul(const Layer& layer, const WorkHints&, double) {
  if (layer.inputs.size() < 2) return kNotCounted;
  const Shape& a = layer.inputs[0].shape;
  const Shape& b = layer.inputs[1].shape;
  const Shape& out = layer.outputs[0].shape;
  if (!is_static(a) || !is_static(b) || !is_static(out)) return kNotCounted;
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

// The second operand is kept transposed: [groups, N, K]. Each row meets one group's matrix.
double grouped_matmul(const Layer& layer, const WorkHints&, double) {
  if (layer.inputs.size() < 2 || layer.inputs[1].shape.empty()) return kNotCounted;
  const double depth = static_cast<double>(layer.inputs[1].shape.back());
  return depth < 0 ? kNotCounted : times(2 * depth, elements(layer.outputs[0]));
}

double einsum(const Layer&, const WorkHints& hints, double) {
  return hints.multiply_adds < 0 ? kNotCounted : 2 * hints.multiply_adds;
}

// softmax(q kᵀ) v on [.., L, E], [.., S, E], [.., S, V], all of it: a causal mask saves nothing.
double attention(const Layer& layer, const WorkHints&, double) {
  if (layer.inputs.size() < 3) return kNotCounted;
  const Shape& q = layer.inputs[0].shape;
  const Shape& k = layer.inputs[1].shape;
  const Shape& v = layer.inputs[2].shape;
  if (!is_static(q) || !is_static(k) || !is_static(v)) return kNotCounted;
  if (q.size() < 2 || k.size() < 2 || v.empty()) return kNotCounted;
  const double scores = elements(layer.inputs[0]) /
                        std::max<double>(1, static_cast<double>(q.back())) *
                        static_cast<double>(k[k.size() - 2]);
  return scores * (2.0 * static_cast<double>(q.back()) + 2.0 * static_cast<double>(v.back()) + 5);
}

// Factors and inverts [.., n, n]: 2 n³ for each.
double inverse(const Layer& layer, const WorkHints&, double) {
  const double values = elements(layer.inputs[0]);
  return values < 0 || layer.inputs[0].shape.empty()
             ? kNotCounted
             : 2 * values * static_cast<double>(layer.inputs[0].shape.back());
}

constexpr std::array kOperators = {
    Operator{"Einsum", einsum},
    Operator{"FullyConnected", matmul},
    Operator{"GroupedMatMul", grouped_matmul},
    Operator{"Inverse", inverse},
    Operator{"MatMul", matmul},
    Operator{"ScaledDotProductAttention", attention},
};

}  // namespace

const std::span<const Operator> kProductOperators = kOperators;

}  // namespace tachostat::model

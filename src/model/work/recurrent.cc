// Recurrent cells and their sequences: the matrix products of the gates.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// Inputs hold `weights` [directions, gates × hidden, input] and, next to it, the recurrent ones.
double products(const Layer& layer, std::size_t weights, bool sequence) {
  if (layer.inputs.size() < weights + 2) return kNotCounted;
  const Shape& x = layer.inputs[0].shape;
  const double input = elements(layer.inputs[weights]);
  const double recurrent = elements(layer.inputs[weights + 1]);
  if (input < 0 || recurrent < 0) return kNotCounted;
  if (!is_static(x) || x.size() < (sequence ? 3U : 2U)) return kNotCounted;
  const double steps = sequence ? static_cast<double>(x[1]) : 1;
  return 2 * static_cast<double>(x[0]) * steps * (input + recurrent);
}

double cell(const Layer& layer, const WorkHints&, double weights) {
  return products(layer, static_cast<std::size_t>(weights), false);
}

double sequence(const Layer& layer, const WorkHints&, double weights) {
  return products(layer, static_cast<std::size_t>(weights), true);
}

// The number is the input that holds the weights.
constexpr std::array kOperators = {
    Operator{"AUGRUCell", cell, 2}, Operator{"AUGRUSequence", sequence, 3},
    Operator{"GRUCell", cell, 2},   Operator{"GRUSequence", sequence, 3},
    Operator{"LSTMCell", cell, 3},  Operator{"LSTMSequence", sequence, 4},
    Operator{"RNNCell", cell, 2},   Operator{"RNNSequence", sequence, 3},
};

}  // namespace

const std::span<const Operator> kRecurrentOperators = kOperators;

}  // namespace tachostat::model

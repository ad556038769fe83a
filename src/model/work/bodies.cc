// Layers with a body: what the reader added up for it.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

double body(const Layer&, const WorkHints& hints, double) {
  return hints.body ? hints.body->flops : kNotCounted;
}

constexpr std::array kOperators = {
    Operator{"If", body},
    Operator{"Loop", body},
    Operator{"TensorIterator", body},
};

}  // namespace

const std::span<const Operator> kBodyOperators = kOperators;

}  // namespace tachostat::model

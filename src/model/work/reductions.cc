// Reductions, normalisations, and what else looks at every element of its input a fixed number of
// times.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// Sums of squares over a window, then the power, the scale and the division.
double local_response(const Layer& layer, const WorkHints& hints, double) {
  return hints.window < 0 ? kNotCounted : times(2 * hints.window + 3, elements(layer.outputs[0]));
}

// A binary search of the sorted second (Bucketize) or first (SearchSorted) input for each element.
double binary_search(const Layer& layer, const WorkHints&, double sorted) {
  const auto at = static_cast<std::size_t>(sorted);
  if (layer.inputs.size() <= at || layer.inputs[at].shape.empty()) return kNotCounted;
  const double length = static_cast<double>(layer.inputs[at].shape.back());
  if (length < 0) return kNotCounted;
  return times(std::ceil(std::log2(std::max(2.0, length))), elements(layer.outputs[0]));
}

constexpr std::array kOperators = {
    Operator{"AdaptiveAvgPool", per_input, 1},
    Operator{"AdaptiveMaxPool", per_input, 1},
    Operator{"BatchNormInference", per_input, 2},
    Operator{"Bucketize", binary_search, 1},
    Operator{"Col2Im", per_input, 1},
    Operator{"CumSum", per_input, 1},
    Operator{"GRN", per_input, 3},
    Operator{"GroupNormalization", per_input, 7},
    Operator{"LRN", local_response},
    Operator{"LogSoftmax", per_input, 5},
    Operator{"MVN", per_input, 5},
    Operator{"NormalizeL2", per_input, 3},
    Operator{"RMS", per_input, 4},
    Operator{"ReduceL1", per_input, 2},
    Operator{"ReduceL2", per_input, 2},
    Operator{"ReduceLogicalAnd", per_input, 1},
    Operator{"ReduceLogicalOr", per_input, 1},
    Operator{"ReduceMax", per_input, 1},
    Operator{"ReduceMean", per_input, 1},
    Operator{"ReduceMin", per_input, 1},
    Operator{"ReduceProd", per_input, 1},
    Operator{"ReduceSum", per_input, 1},
    Operator{"SearchSorted", binary_search, 0},
    Operator{"SegmentMax", per_input, 1},
    Operator{"Softmax", per_input, 5},
    Operator{"SoftMax", per_input, 5},
    Operator{"TopK", per_input, 1},
};

}  // namespace

const std::span<const Operator> kReductionOperators = kOperators;

}  // namespace tachostat::model

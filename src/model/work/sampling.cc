// What makes each element of its output from a window of its input: pooling, resizing, regions.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// `parameter` operations for each element of the window.
double windowed(const Layer& layer, const WorkHints& hints, double parameter) {
  return hints.window < 0 ? kNotCounted
                          : times(parameter * hints.window, elements(layer.outputs[0]));
}

constexpr std::array kOperators = {
    Operator{"AvgPool", windowed, 1},      Operator{"DeformablePSROIPooling", per_output, 1},
    Operator{"GridSample", windowed, 2},   Operator{"Interpolate", windowed, 2},
    Operator{"MaxPool", windowed, 1},      Operator{"PSROIPooling", per_output, 1},
    Operator{"ROIAlign", windowed, 2},     Operator{"ROIAlignRotated", windowed, 2},
    Operator{"ROIPooling", per_output, 1},
};

}  // namespace

const std::span<const Operator> kSamplingOperators = kOperators;

}  // namespace tachostat::model

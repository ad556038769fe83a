// Fourier transforms, by the convention of the field: 5 N log2 N operations for N complex points,
// half of that for real ones.
#include <algorithm>
#include <array>
#include <cmath>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

double per_point(double points) { return 5 * std::log2(std::max(1.0, points)); }

// The last dimension of complex values is 2.
double complex_transform(const Layer& layer, const WorkHints& hints, double) {
  if (hints.window < 0) return kNotCounted;
  return times(per_point(hints.window), elements(layer.outputs[0])) / 2;
}

double from_real(const Layer& layer, const WorkHints& hints, double) {
  if (hints.window < 0) return kNotCounted;
  return times(per_point(hints.window) / 2, elements(layer.inputs[0]));
}

double to_real(const Layer& layer, const WorkHints& hints, double) {
  if (hints.window < 0) return kNotCounted;
  return times(per_point(hints.window) / 2, elements(layer.outputs[0]));
}

// Of the frames that the spectrum `holds` (its shape ends in the frequencies or the frames, and 2):
// half a transform, and the window over it. N points make N / 2 + 1 frequencies.
double framed(const Value& spectrum, const Value& window) {
  const double values = elements(spectrum);
  const double points = elements(window);
  if (values < 0 || points < 1) return kNotCounted;
  const double frames = values / 2 / (std::floor(points / 2) + 1);
  return frames * points * (per_point(points) / 2 + 1);
}

double short_time(const Layer& layer, const WorkHints&, double) {
  return layer.inputs.size() < 2 ? kNotCounted : framed(layer.outputs[0], layer.inputs[1]);
}

double inverse_short_time(const Layer& layer, const WorkHints&, double) {
  return layer.inputs.size() < 2 ? kNotCounted : framed(layer.inputs[0], layer.inputs[1]);
}

constexpr std::array kOperators = {
    Operator{"DFT", complex_transform}, Operator{"IDFT", complex_transform},
    Operator{"IRDFT", to_real},         Operator{"ISTFT", inverse_short_time},
    Operator{"RDFT", from_real},        Operator{"STFT", short_time},
};

}  // namespace

const std::span<const Operator> kTransformOperators = kOperators;

}  // namespace tachostat::model

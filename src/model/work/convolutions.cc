// Convolutions of all kinds.
#include <array>

#include "model/work/operators.h"

namespace tachostat::model {
namespace {

// Weights are [out, in, kernel…]; a group's are [groups, out, in, kernel…]. Each output element of
// a forward convolution takes in × kernel multiply-adds, and each input element of a backward one
// goes into out × kernel, where the weights' two channel dimensions are exchanged: in both cases
// the dimensions after the first `skip`.
double products(const Layer& layer, const Value& counted, std::size_t weights_at,
                std::size_t skip) {
  if (layer.inputs.size() <= weights_at) return kNotCounted;
  const Shape& weights = layer.inputs[weights_at].shape;
  if (!is_static(weights) || weights.size() <= skip) return kNotCounted;
  return times(2 * product_from(weights, skip), elements(counted));
}

double forward(const Layer& layer, const WorkHints&, double skip) {
  return products(layer, layer.outputs[0], 1, static_cast<std::size_t>(skip));
}

double backward(const Layer& layer, const WorkHints&, double skip) {
  return products(layer, layer.inputs[0], 1, static_cast<std::size_t>(skip));
}

// [data, offsets, weights, mask?]: before the products, every place of the kernel at every place of
// the output is read between four neighbours in each channel, 4 multiply-adds, and scaled by the
// mask.
double deformable(const Layer& layer, const WorkHints&, double) {
  const double multiplied = products(layer, layer.outputs[0], 2, 1);
  if (multiplied < 0) return kNotCounted;
  const Shape& in = layer.inputs[0].shape;
  const Shape& out = layer.outputs[0].shape;
  const Shape& weights = layer.inputs[2].shape;
  if (!is_static(in) || in.size() < 3 || out.size() < 3 || weights.size() < 3) return kNotCounted;
  const double read = static_cast<double>(in[0]) * static_cast<double>(in[1]) *
                      product_from(out, 2) * product_from(weights, 2);
  return multiplied + read * (layer.inputs.size() > 3 ? 9 : 8);
}

constexpr std::array kOperators = {
    Operator{"BinaryConvolution", forward, 1},
    Operator{"Convolution", forward, 1},
    Operator{"ConvolutionBackpropData", backward, 1},
    Operator{"DeformableConvolution", deformable},
    Operator{"GroupConvolution", forward, 2},
    Operator{"GroupConvolutionBackpropData", backward, 2},
};

}  // namespace

const std::span<const Operator> kConvolutionOperators = kOperators;

}  // namespace tachostat::model

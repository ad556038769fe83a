// Constants that layers multiply by, and what their axes mean.
#pragma once

#include <memory>
#include <openvino/core/node.hpp>
#include <openvino/op/constant.hpp>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/steps.h"

namespace tachostat::engine {

// Weights as they are after folding conversions and reshapes in front of the layer.
// InvalidArgument: the input is no constant.
absl::StatusOr<std::shared_ptr<ov::op::v0::Constant>> weights_of(const ov::Input<ov::Node>& input);

// Null: it is none. Looks through what hands it on as it is.
std::shared_ptr<ov::op::v0::Constant> constant_of(ov::Output<ov::Node> output);

// A list of them, as layers take their axes and shapes.
std::shared_ptr<ov::Node> whole_numbers(const std::vector<std::int64_t>& values);

// Axes of a weight along which the layer's outputs differ, and those along which its inputs do.
// Layers are matrix products and convolutions, grouped and transposed ones too.
std::vector<bool> output_axes(const ov::Node& layer, std::size_t rank);
std::vector<bool> input_axes(const ov::Node& layer, std::size_t rank);

// Where a layer's channels lie in the tensors that enter and leave it: axis 1, or the last one of a
// matrix product. `rank` is 2 or more.
std::size_t channel_axis(const ov::Node& layer, std::size_t rank);

// Broadcasts `channels` numbers along `axis` of the tensor that enters `edge`. InvalidArgument: it
// has not as many.
absl::StatusOr<ov::Shape> along_channels(const ov::PartialShape& shape, std::size_t axis,
                                         std::size_t channels, const model::Edge& edge);

// Numbers the elements of a tensor by their place along some of its axes, in row-major order.
class Digits {
 public:
  Digits(const ov::Shape& shape, std::vector<bool> axes);
  std::size_t count() const { return count_; }
  std::size_t of(std::size_t element) const;
  // Broadcasts `count` numbers over the tensor: 1 along all other axes.
  ov::Shape shape() const;

 private:
  ov::Shape shape_;
  std::vector<bool> axes_;
  std::size_t count_ = 1;
};

std::vector<float> largest_magnitudes(std::span<const float> values, const Digits& digits);

}  // namespace tachostat::engine

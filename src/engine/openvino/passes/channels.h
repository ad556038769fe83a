// Which channels can only be left out together. Channels are followed from a product that computes
// them along every tensor that has them, up and down: element-wise layers join the tensors that
// they combine, depthwise convolutions and pooling hand channels on, and products read them.
// Whatever else has them (a concatenation, a split, a normalisation over channels, an output of the
// model) keeps the whole group as it is.
#pragma once

#include <memory>
#include <openvino/core/model.hpp>
#include <openvino/core/node.hpp>
#include <optional>
#include <vector>

#include "engine/openvino/passes/passes.h"
#include "model/steps.h"

namespace tachostat::engine {

struct Channels {
  // A constant that has the channels along this axis: weights that compute them, a bias.
  struct Constant {
    ov::Input<ov::Node> input;
    std::size_t axis = 0;
  };
  // A constant shape that says how many there are, in this place.
  struct Size {
    ov::Input<ov::Node> input;
    std::size_t place = 0;
  };
  // A product: what it reads, and the weights that multiply it.
  struct Reader {
    ov::Input<ov::Node> data, weights;
    std::size_t axis = 0;  // of the weights
  };
  std::size_t count = 0;
  std::vector<Constant> constants = {};
  std::vector<Size> sizes = {};
  std::vector<Reader> readers = {};
  std::vector<ov::Node*> products = {};  // that compute them or hand them on
};

// Of what this product computes; none: they can't be left out.
std::optional<Channels> channels_of(const std::shared_ptr<ov::Node>& product);

// In the order of the products that name them. Groups of few channels are not told.
std::vector<model::ChannelGroup> find_channel_groups(ov::Model& model);

}  // namespace tachostat::engine

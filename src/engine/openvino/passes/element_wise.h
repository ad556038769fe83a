// Layers that compute each number of their output from the same place of their inputs.
#pragma once

#include <functional>
#include <memory>
#include <openvino/core/node.hpp>
#include <openvino/op/constant.hpp>
#include <vector>

namespace tachostat::engine {

// One output; inputs may be broadcast. Those that only hand a tensor on count too.
bool is_element_wise(const ov::Node& node);
// ONNX's, as files from some exporters have them between all layers.
bool is_identity(const ov::Node& node);

bool holds(const std::vector<std::shared_ptr<ov::Node>>& nodes, const ov::Node* node);

// An element-wise layer that reads `after` and constants, on `before` instead, so that what lies
// between the two may come after it. `fitted` gives a constant as `before` needs it, or null. Null
// when the layer is of another kind or a constant does not fit.
using Fitted =
    std::function<std::shared_ptr<ov::Node>(const std::shared_ptr<ov::op::v0::Constant>& constant)>;
std::shared_ptr<ov::Node> moved_before(const ov::Node& layer, const ov::Output<ov::Node>& before,
                                       const ov::Output<ov::Node>& after, const Fitted& fitted);

}  // namespace tachostat::engine

// Layers that compute each number of their output from the same place of their inputs.
#pragma once

#include <openvino/core/node.hpp>

namespace tachostat::engine {

// One output; inputs may be broadcast. Those that only hand a tensor on count too.
bool is_element_wise(const ov::Node& node);

}  // namespace tachostat::engine

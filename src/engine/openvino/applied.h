// Reading back what OpenVINO made of a variant. May throw what OpenVINO throws.
#pragma once

#include <openvino/openvino.hpp>
#include <vector>

#include "engine/engine.h"

namespace tachostat::engine {

// Layers that run per inference, in order of execution. Streams are compiled alike, but OpenVINO
// numbers the layers that it makes itself, and spans carry those names: after the first stream's
// layers come those that the others call by other names.
Applied read_applied(const std::vector<ov::CompiledModel>& streams);

}  // namespace tachostat::engine

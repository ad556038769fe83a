// Reading back what OpenVINO made of a variant. May throw what OpenVINO throws.
#pragma once

#include <openvino/openvino.hpp>
#include <vector>

#include "engine/engine.h"

namespace tachostat::engine {

// Layers come from the first stream's model, in order of execution; the others are compiled alike.
// Constants and the ports themselves are left out.
Applied read_applied(const std::vector<ov::CompiledModel>& streams);

}  // namespace tachostat::engine

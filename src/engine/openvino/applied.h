// Reading back what OpenVINO made of a variant. May throw what OpenVINO throws.
#pragma once

#include <openvino/openvino.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/engine.h"

namespace tachostat::engine {

// Layers that run per inference, in order of execution. Streams are compiled alike, but OpenVINO
// numbers the layers that it makes itself, and spans carry those names: after the first stream's
// layers come those that the others call by other names.
Applied read_applied(const std::vector<ov::CompiledModel>& streams);

// Names of results that a layer computes. The others show a model input as it is, or in another
// shape. Their memory must not be chosen from outside: OpenVINO 2026.4 then takes it for the
// input's memory, overwrites the input with what lies there, and computes everything from that.
std::unordered_set<std::string> computed_results(const Applied& applied);

}  // namespace tachostat::engine

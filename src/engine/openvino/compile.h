// From a graph's file and a variant to OpenVINO's compiled models. May throw what OpenVINO throws.
#pragma once

#include <openvino/openvino.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/inputs.h"
#include "model/model.h"

namespace tachostat::engine {

// Reads the graph's file, gives it the accepted shapes and applies the recipe. InvalidArgument when
// the file's inputs are no longer the graph's, the batch axis does not reach every output, or the
// recipe does not fit.
absl::StatusOr<std::shared_ptr<ov::Model>> shaped_network(
    ov::Core& core, const model::Graph& graph, const std::vector<AcceptedInput>& accepted,
    const model::Recipe& recipe);

// One compiled model per stream; their threads add up to the variant's. `hardware_threads` is
// shared out where the variant leaves threads open and asks for several streams.
absl::StatusOr<std::vector<ov::CompiledModel>> compile_streams(
    ov::Core& core, const std::shared_ptr<ov::Model>& network, const model::Variant& variant,
    int hardware_threads);

}  // namespace tachostat::engine

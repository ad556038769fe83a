// OpenVINO as its own documentation has it called: the model as the file has it, compiled with a
// performance hint, and infer requests of that one compiled model. What comparisons call the
// engine's default; the project's own sessions (engine/openvino) are made in another way.
#pragma once

#include <memory>
#include <openvino/openvino.hpp>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace tachostat {

struct PlainOptions {
  std::string path;         // of the file; its inputs and outputs are the graph's
  bool throughput = false;  // the hint, instead of latency
  bool f32 = false;         // inference precision; else the engine's choice
};

// With one request, infer() runs on the calling thread and completes before it returns. Outputs are
// views that hold during the completion, and with one request until the next infer().
absl::StatusOr<std::unique_ptr<engine::Session>> load_plain(ov::Core& core,
                                                            const model::Graph& graph,
                                                            const PlainOptions& options);

}  // namespace tachostat

// The default engine: OpenVINO on the devices that it finds.
//
// How a session runs. Each of a variant's streams is a compiled model of its own with one OpenVINO
// stream, and one of our threads that calls infer() on it: OpenVINO runs a single-stream model's
// synchronous inference on the calling thread, so observers see the thread that really works, with
// no hand-over in between. With several streams in one compiled model it would run on OpenVINO's
// own threads, where nobody can be told. The price: streams don't share repacked weights.
//
// Shapes. A bucket compiles a static network; then outputs are written straight into the buffers
// that completions get. A batch above 1 leaves axis 0 open up to bucket × batch (static kernels for
// one size would need one compiled model each), and outputs of open shape are copied once.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace tachostat::engine {

// Unavailable when the runtime cannot start or finds no device. Make one per process: it holds the
// runtime's plugins. load() is serialised inside, infer() is not.
absl::StatusOr<std::unique_ptr<Engine>> make_openvino();

}  // namespace tachostat::engine

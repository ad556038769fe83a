// A gRPC inference request as a request of ours. Pure functions; any message may come in.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "inference.pb.h"
#include "serve/infer.h"

namespace tachostat::serve {

// Tensors are views into the message where its memory has the tensor's own form, and keep it alive.
absl::StatusOr<InferRequest> to_infer_request(
    const std::shared_ptr<const inference::ModelInferRequest>& message);

}  // namespace tachostat::serve

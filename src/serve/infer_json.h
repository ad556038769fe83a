// An inference request's HTTP body, read: the JSON object, and the binary tensors behind it. Pure
// functions; any bytes may come in.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "serve/body.h"
#include "serve/infer.h"

namespace tachostat::serve {

// `json_size` is the header Inference-Header-Content-Length; without it the whole body is JSON.
// Tensors sent as binary data are views into the body. Errors are InvalidArgument and say where.
absl::StatusOr<InferRequest> parse_infer_body(const std::shared_ptr<const Body>& body,
                                              std::optional<std::size_t> json_size);

}  // namespace tachostat::serve

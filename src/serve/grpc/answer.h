// An inference's answer in protobuf's wire form, written around the tensors instead of through
// protobuf, which would copy each of them twice.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <vector>

#include "absl/status/statusor.h"
#include "serve/infer.h"

namespace tachostat::serve {

// A ModelInferResponse. The buffer refers to the tensors' memory and keeps their owners.
absl::StatusOr<grpc::ByteBuffer> write_answer(const ServedModel& model, const InferRequest& request,
                                              std::vector<engine::Tensor> outputs);
// The same in a ModelStreamInferResponse.
absl::StatusOr<grpc::ByteBuffer> write_stream_answer(const ServedModel& model,
                                                     const InferRequest& request,
                                                     std::vector<engine::Tensor> outputs);
// A ModelStreamInferResponse with an error; the stream goes on.
grpc::ByteBuffer write_stream_error(const std::string& id, const absl::Status& status);

}  // namespace tachostat::serve

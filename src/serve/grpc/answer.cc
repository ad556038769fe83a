#include "serve/grpc/answer.h"

#include <google/protobuf/io/coded_stream.h>

#include "base/status.h"
#include "inference.pb.h"

namespace tachostat::serve {
namespace {

using google::protobuf::io::CodedOutputStream;

// Smaller tensors are copied: a slice of their own would cost more.
constexpr std::size_t kCopyBelow = 4096;
// Protobuf's limit of one message.
constexpr std::size_t kMaxMessage = INT_MAX;
constexpr std::uint32_t kLengthDelimited = 2;

void append_prefix(int field, std::size_t length, std::string& out) {
  std::uint8_t bytes[16];
  std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(
      static_cast<std::uint32_t>(field) << 3 | kLengthDelimited, bytes);
  end = CodedOutputStream::WriteVarint64ToArray(length, end);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}

grpc::Slice slice_around(engine::Tensor tensor) {
  auto* kept = new engine::Tensor(std::move(tensor));
  // gRPC wants a mutable pointer and does not write.
  return grpc::Slice(
      const_cast<std::byte*>(kept->data.data()), kept->data.size(),
      [](void* pointer) { delete static_cast<engine::Tensor*>(pointer); }, kept);
}

// Everything but the tensors' bytes.
absl::StatusOr<std::string> write_head(const ServedModel& model, const InferRequest& request,
                                       const std::vector<engine::Tensor>& outputs) {
  inference::ModelInferResponse head;
  head.set_model_name(model.name);
  head.set_model_version(model.version);
  head.set_id(request.id);
  if (request.wants_final_flag) {
    (*head.mutable_parameters())["triton_final_response"].set_bool_param(true);
  }
  for (const engine::Tensor& tensor : outputs) {
    const std::string_view datatype = model::protocol_name_of(tensor.type);
    if (datatype.empty()) {
      return base::internal("output {} is {}, which the protocol does not know",
                            in_quotes(tensor.name), model::name_of(tensor.type));
    }
    auto& output = *head.add_outputs();
    output.set_name(tensor.name);
    output.set_datatype(std::string(datatype));
    output.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
  }
  return head.SerializeAsString();
}

// A response as pieces of memory, without a prefix.
struct Pieces {
  std::vector<grpc::Slice> slices;
  std::size_t size = 0;
};

absl::StatusOr<Pieces> write_pieces(const ServedModel& model, const InferRequest& request,
                                    std::vector<engine::Tensor> outputs) {
  TS_ASSIGN_OR_RETURN(std::string text, write_head(model, request, outputs));
  Pieces pieces;
  const auto flush = [&] {
    pieces.size += text.size();
    if (!text.empty()) pieces.slices.emplace_back(text);
    text.clear();
  };
  for (engine::Tensor& tensor : outputs) {
    const std::size_t size = tensor.data.size();
    append_prefix(inference::ModelInferResponse::kRawOutputContentsFieldNumber, size, text);
    if (size < kCopyBelow) {
      text.append(reinterpret_cast<const char*>(tensor.data.data()), size);
      continue;
    }
    flush();
    pieces.slices.push_back(slice_around(std::move(tensor)));
    pieces.size += size;
  }
  flush();
  if (pieces.size > kMaxMessage) {
    return absl::OutOfRangeError(fmt::format(
        "the answer has {} bytes, more than a gRPC message holds: ask for fewer outputs",
        pieces.size));
  }
  return pieces;
}

}  // namespace

absl::StatusOr<grpc::ByteBuffer> write_answer(const ServedModel& model, const InferRequest& request,
                                              std::vector<engine::Tensor> outputs) {
  TS_ASSIGN_OR_RETURN(const Pieces pieces, write_pieces(model, request, std::move(outputs)));
  return grpc::ByteBuffer(pieces.slices.data(), pieces.slices.size());
}

absl::StatusOr<grpc::ByteBuffer> write_stream_answer(const ServedModel& model,
                                                     const InferRequest& request,
                                                     std::vector<engine::Tensor> outputs) {
  TS_ASSIGN_OR_RETURN(Pieces pieces, write_pieces(model, request, std::move(outputs)));
  std::string prefix;
  append_prefix(inference::ModelStreamInferResponse::kInferResponseFieldNumber, pieces.size,
                prefix);
  pieces.slices.insert(pieces.slices.begin(), grpc::Slice(prefix));
  return grpc::ByteBuffer(pieces.slices.data(), pieces.slices.size());
}

grpc::ByteBuffer write_stream_error(const std::string& id, const absl::Status& status) {
  inference::ModelStreamInferResponse response;
  response.set_error_message(wire_message(status));
  response.mutable_infer_response()->set_id(id);
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace tachostat::serve

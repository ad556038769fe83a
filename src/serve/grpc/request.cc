#include "serve/grpc/request.h"

#include <cstring>
#include <limits>

#include "base/status.h"

namespace tachostat::serve {
namespace {

using Message = std::shared_ptr<const inference::ModelInferRequest>;
using Contents = inference::InferTensorContents;

ParameterValue value_of(const inference::InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case inference::InferParameter::kBoolParam:
      return parameter.bool_param();
    case inference::InferParameter::kInt64Param:
      return parameter.int64_param();
    case inference::InferParameter::kStringParam:
      return parameter.string_param();
    case inference::InferParameter::kDoubleParam:
      return parameter.double_param();
    case inference::InferParameter::kUint64Param:
      // What does not fit is larger than anything that a parameter of ours may be.
      return static_cast<std::int64_t>(std::min<std::uint64_t>(
          parameter.uint64_param(), std::numeric_limits<std::int64_t>::max()));
    default:
      return {};
  }
}

// The repeated field's own memory is the tensor's.
template <class Repeated>
absl::Status view(const Repeated& field, const Message& message, engine::Tensor& tensor) {
  tensor.data = std::as_bytes(std::span(field.data(), static_cast<std::size_t>(field.size())));
  tensor.owner = message;
  return absl::OkStatus();
}

// INT8, INT16 and their unsigned kin travel as 32-bit numbers.
template <class T, class Repeated>
absl::Status narrow(const Repeated& field, engine::Tensor& tensor) {
  const auto size = static_cast<std::size_t>(field.size());
  auto memory = std::make_shared_for_overwrite<T[]>(size);
  for (std::size_t i = 0; i < size; ++i) {
    const auto value = field[static_cast<int>(i)];
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
      return base::invalid_argument("input {}: element {} is {}: expected a value of {}",
                                    in_quotes(tensor.name), i, value,
                                    model::protocol_name_of(tensor.type));
    }
    memory[i] = static_cast<T>(value);
  }
  tensor.data = std::as_bytes(std::span<const T>(memory.get(), size));
  tensor.owner = std::move(memory);
  return absl::OkStatus();
}

absl::Status join_strings(const Contents& contents, engine::Tensor& tensor) {
  auto memory = std::make_shared<std::string>();
  for (const std::string& element : contents.bytes_contents()) {
    const auto size = static_cast<std::uint32_t>(element.size());  // a message is under 2 GiB
    char prefix[sizeof size];
    std::memcpy(prefix, &size, sizeof size);
    memory->append(prefix, sizeof size).append(element);
  }
  tensor.data = std::as_bytes(std::span<const char>(*memory));
  tensor.owner = std::move(memory);
  return absl::OkStatus();
}

absl::Status read_contents(const Contents& contents, const Message& message,
                           engine::Tensor& tensor) {
  using model::DataType;
  switch (tensor.type) {
    case DataType::kBool:
      return view(contents.bool_contents(), message, tensor);
    case DataType::kI8:
      return narrow<std::int8_t>(contents.int_contents(), tensor);
    case DataType::kI16:
      return narrow<std::int16_t>(contents.int_contents(), tensor);
    case DataType::kI32:
      return view(contents.int_contents(), message, tensor);
    case DataType::kI64:
      return view(contents.int64_contents(), message, tensor);
    case DataType::kU8:
      return narrow<std::uint8_t>(contents.uint_contents(), tensor);
    case DataType::kU16:
      return narrow<std::uint16_t>(contents.uint_contents(), tensor);
    case DataType::kU32:
      return view(contents.uint_contents(), message, tensor);
    case DataType::kU64:
      return view(contents.uint64_contents(), message, tensor);
    case DataType::kF32:
      return view(contents.fp32_contents(), message, tensor);
    case DataType::kF64:
      return view(contents.fp64_contents(), message, tensor);
    case DataType::kString:
      return join_strings(contents, tensor);
    default:
      return base::invalid_argument("input {}: {} goes only into raw_input_contents",
                                    in_quotes(tensor.name), model::protocol_name_of(tensor.type));
  }
}

absl::StatusOr<engine::Tensor> read_input(const Message& message, int index) {
  const auto& input = message->inputs(index);
  engine::Tensor tensor;
  tensor.name = input.name();
  if (tensor.name.empty()) return base::invalid_argument("an input has no name");
  TS_ASSIGN_OR_RETURN(tensor.type, wire_type(input.name(), input.datatype()));
  tensor.shape.assign(input.shape().begin(), input.shape().end());
  TS_RETURN_IF_ERROR(check_shape(input.name(), tensor.shape));
  std::optional<std::uint64_t> ignored;  // binary_data_size belongs to HTTP
  for (const auto& [name, parameter] : input.parameters()) {
    TS_RETURN_IF_ERROR(set_input_parameter(name, value_of(parameter), ignored));
  }
  if (message->raw_input_contents_size() > 0) {
    if (input.has_contents()) {
      return base::invalid_argument("input {}: has contents, and raw_input_contents is used too",
                                    in_quotes(tensor.name));
    }
    tensor.data = std::as_bytes(std::span<const char>(message->raw_input_contents(index)));
    tensor.owner = message;
  } else {
    TS_RETURN_IF_ERROR(read_contents(input.contents(), message, tensor));
  }
  TS_RETURN_IF_ERROR(check_size(tensor));
  return tensor;
}

}  // namespace

absl::StatusOr<InferRequest> to_infer_request(const Message& message) {
  InferRequest request;
  request.id = message->id();
  for (const auto& [name, parameter] : message->parameters()) {
    TS_RETURN_IF_ERROR(set_request_parameter(name, value_of(parameter), request));
  }
  const int raw = message->raw_input_contents_size();
  if (raw > 0 && raw != message->inputs_size()) {
    return base::invalid_argument("{} inputs and {} raw_input_contents: expected one for each",
                                  message->inputs_size(), raw);
  }
  for (int i = 0; i < message->inputs_size(); ++i) {
    TS_ASSIGN_OR_RETURN(engine::Tensor tensor, read_input(message, i));
    request.inputs.push_back(std::move(tensor));
  }
  for (const auto& output : message->outputs()) {
    WantedOutput wanted{.name = output.name(), .binary = true};
    for (const auto& [name, parameter] : output.parameters()) {
      TS_RETURN_IF_ERROR(set_output_parameter(name, value_of(parameter), wanted));
    }
    request.outputs.push_back(std::move(wanted));
  }
  return request;
}

}  // namespace tachostat::serve

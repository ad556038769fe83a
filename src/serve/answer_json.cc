#include "serve/answer_json.h"

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace tachostat::serve {
namespace {

absl::Status no_json_form(const engine::Tensor& tensor, std::string_view what) {
  return base::failed_precondition(
      "output {}: {} has no JSON form: ask for it with the parameter binary_data",
      in_quotes(tensor.name), what);
}

// Elements may lie at any address.
template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
absl::Status append_numbers(const engine::Tensor& tensor, std::string& out) {
  char text[32];
  for (std::size_t at = 0; at + sizeof(T) <= tensor.data.size(); at += sizeof(T)) {
    if (at > 0) out += ',';
    const T value = load<T>(tensor.data.data() + at);
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value))
        return no_json_form(tensor, std::isnan(value) ? "NaN" : "infinity");
    }
    const auto end = std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
  }
  return absl::OkStatus();
}

absl::Status append_bools(const engine::Tensor& tensor, std::string& out) {
  for (std::size_t i = 0; i < tensor.data.size(); ++i) {
    if (i > 0) out += ',';
    out += tensor.data[i] == std::byte{0} ? "false" : "true";
  }
  return absl::OkStatus();
}

absl::Status append_strings(const engine::Tensor& tensor, std::string& out) {
  std::span<const std::byte> rest = tensor.data;
  std::string_view element;
  bool first = true;
  while (next_string(rest, element)) {
    if (!first) out += ',';
    first = false;
    try {
      out += nlohmann::json(element).dump();
    } catch (const nlohmann::json::exception&) {
      return no_json_form(tensor, "a string that is not UTF-8");
    }
  }
  return absl::OkStatus();
}

absl::Status append_data(const engine::Tensor& tensor, std::string& out) {
  using model::DataType;
  switch (tensor.type) {
    case DataType::kBool:
      return append_bools(tensor, out);
    case DataType::kI8:
      return append_numbers<std::int8_t>(tensor, out);
    case DataType::kU8:
      return append_numbers<std::uint8_t>(tensor, out);
    case DataType::kI16:
      return append_numbers<std::int16_t>(tensor, out);
    case DataType::kU16:
      return append_numbers<std::uint16_t>(tensor, out);
    case DataType::kI32:
      return append_numbers<std::int32_t>(tensor, out);
    case DataType::kU32:
      return append_numbers<std::uint32_t>(tensor, out);
    case DataType::kI64:
      return append_numbers<std::int64_t>(tensor, out);
    case DataType::kU64:
      return append_numbers<std::uint64_t>(tensor, out);
    case DataType::kF32:
      return append_numbers<float>(tensor, out);
    case DataType::kF64:
      return append_numbers<double>(tensor, out);
    case DataType::kString:
      return append_strings(tensor, out);
    default:
      return no_json_form(tensor, model::name_of(tensor.type));
  }
}

bool wants_binary(const InferRequest& request, std::size_t output) {
  if (output < request.outputs.size() && request.outputs[output].binary) {
    return *request.outputs[output].binary;
  }
  return request.binary_outputs;
}

std::string shape_json(const model::Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

}  // namespace

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<JsonAnswer> write_infer_answer(const ServedModel& model, const InferRequest& request,
                                              std::vector<engine::Tensor> outputs) {
  JsonAnswer answer;
  std::string& out = answer.json;
  out = fmt::format("{{\"model_name\":{},\"model_version\":{},", json_string(model.name),
                    json_string(model.version));
  if (!request.id.empty()) out += fmt::format("\"id\":{},", json_string(request.id));
  out += "\"outputs\":[";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    engine::Tensor& tensor = outputs[i];
    const std::string_view datatype = model::protocol_name_of(tensor.type);
    if (datatype.empty()) {
      return base::internal("output {} is {}, which the protocol does not know",
                            in_quotes(tensor.name), model::name_of(tensor.type));
    }
    out += fmt::format("{}{{\"name\":{},\"datatype\":\"{}\",\"shape\":{},", i > 0 ? "," : "",
                       json_string(tensor.name), datatype, shape_json(tensor.shape));
    if (wants_binary(request, i)) {
      out += fmt::format("\"parameters\":{{\"binary_data_size\":{}}}}}", tensor.data.size());
      answer.binary = true;
      answer.tail.push_back(std::move(tensor));
    } else {
      out += "\"data\":[";
      TS_RETURN_IF_ERROR(append_data(tensor, out));
      out += "]}";
    }
  }
  out += "]}";
  return answer;
}

}  // namespace tachostat::serve

#include "serve/json_tensor.h"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/status.h"
#include "serve/infer.h"

namespace tachostat::serve {
namespace {

namespace ondemand = simdjson::ondemand;

// Where one element goes. False: the value is not one of this type.
template <class T>
bool read_number(ondemand::value value, T& out) {
  if constexpr (std::same_as<T, bool>) {
    return value.get_bool().get(out) == simdjson::SUCCESS;
  } else if constexpr (std::floating_point<T>) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) return false;
    if (number > std::numeric_limits<T>::max() || number < std::numeric_limits<T>::lowest()) {
      return false;
    }
    out = static_cast<T>(number);
    return true;
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    Wide number = 0;
    if (value.get<Wide>().get(number) != simdjson::SUCCESS) return false;
    if (number > std::numeric_limits<T>::max() || number < std::numeric_limits<T>::min()) {
      return false;
    }
    out = static_cast<T>(number);
    return true;
  }
}

// Walks the nested arrays and calls append(value) for every scalar.
template <class Append>
absl::Status walk(ondemand::array array, const engine::Tensor& tensor, int depth, Append& append) {
  for (auto result : array) {
    ondemand::value value;
    ondemand::json_type type{};
    simdjson::error_code error = result.get(value);
    if (!error) error = value.type().get(type);
    if (error) {
      return base::invalid_argument("input {}: data: {}", in_quotes(tensor.name),
                                    simdjson::error_message(error));
    }
    if (type != ondemand::json_type::array) {
      TS_RETURN_IF_ERROR(append(value));
      continue;
    }
    if (depth == kMaxRank) {
      return base::invalid_argument("input {}: data is nested more than {} deep",
                                    in_quotes(tensor.name), kMaxRank);
    }
    ondemand::array inner;
    if (value.get_array().get(inner) != simdjson::SUCCESS) {
      return base::invalid_argument("input {}: data: not an array", in_quotes(tensor.name));
    }
    TS_RETURN_IF_ERROR(walk(inner, tensor, depth + 1, append));
  }
  return absl::OkStatus();
}

absl::Status wrong_count(const engine::Tensor& tensor, std::uint64_t count, bool more) {
  return base::invalid_argument("input {}: shape {} needs {} elements, data has {}{}",
                                in_quotes(tensor.name), model::to_string(tensor.shape),
                                model::elements_of(tensor.shape), more ? "more than " : "", count);
}

template <class T>
absl::Status read_numbers(ondemand::array array, std::size_t json_size, engine::Tensor& tensor) {
  const auto wanted = static_cast<std::uint64_t>(model::elements_of(tensor.shape));
  // Every element takes a byte of JSON at least, so a shape that lies costs no memory.
  const std::size_t capacity = std::min<std::uint64_t>(wanted, json_size);
  auto memory = std::make_shared_for_overwrite<T[]>(capacity);
  std::size_t count = 0;
  auto append = [&](ondemand::value value) -> absl::Status {
    if (count == capacity) return wrong_count(tensor, count, true);
    if (!read_number(value, memory[count])) {
      const std::string_view token = value.raw_json_token();
      return base::invalid_argument("input {}: element {} is {}: expected a value of {}",
                                    in_quotes(tensor.name), count, in_quotes(token),
                                    model::protocol_name_of(tensor.type));
    }
    ++count;
    return absl::OkStatus();
  };
  TS_RETURN_IF_ERROR(walk(array, tensor, 1, append));
  if (count != wanted) return wrong_count(tensor, count, false);
  tensor.data = std::as_bytes(std::span<const T>(memory.get(), count));
  tensor.owner = std::move(memory);
  return absl::OkStatus();
}

absl::Status read_strings(ondemand::array array, engine::Tensor& tensor) {
  const auto wanted = static_cast<std::uint64_t>(model::elements_of(tensor.shape));
  auto memory = std::make_shared<std::string>();
  std::uint64_t count = 0;
  auto append = [&](ondemand::value value) -> absl::Status {
    if (count == wanted) return wrong_count(tensor, count, true);
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS ||
        text.size() > std::numeric_limits<std::uint32_t>::max()) {
      return base::invalid_argument("input {}: element {}: expected a string",
                                    in_quotes(tensor.name), count);
    }
    const auto size = static_cast<std::uint32_t>(text.size());
    char prefix[sizeof size];
    std::memcpy(prefix, &size, sizeof size);
    memory->append(prefix, sizeof size);
    memory->append(text);
    ++count;
    return absl::OkStatus();
  };
  TS_RETURN_IF_ERROR(walk(array, tensor, 1, append));
  if (count != wanted) return wrong_count(tensor, count, false);
  tensor.data = std::as_bytes(std::span<const char>(*memory));
  tensor.owner = std::move(memory);
  return absl::OkStatus();
}

}  // namespace

absl::Status read_json_tensor(ondemand::value data, std::size_t json_size, engine::Tensor& tensor) {
  using model::DataType;
  ondemand::array array;
  if (data.get_array().get(array) != simdjson::SUCCESS) {
    return base::invalid_argument("input {}: data: expected an array", in_quotes(tensor.name));
  }
  switch (tensor.type) {
    case DataType::kBool:
      return read_numbers<bool>(array, json_size, tensor);
    case DataType::kI8:
      return read_numbers<std::int8_t>(array, json_size, tensor);
    case DataType::kU8:
      return read_numbers<std::uint8_t>(array, json_size, tensor);
    case DataType::kI16:
      return read_numbers<std::int16_t>(array, json_size, tensor);
    case DataType::kU16:
      return read_numbers<std::uint16_t>(array, json_size, tensor);
    case DataType::kI32:
      return read_numbers<std::int32_t>(array, json_size, tensor);
    case DataType::kU32:
      return read_numbers<std::uint32_t>(array, json_size, tensor);
    case DataType::kI64:
      return read_numbers<std::int64_t>(array, json_size, tensor);
    case DataType::kU64:
      return read_numbers<std::uint64_t>(array, json_size, tensor);
    case DataType::kF32:
      return read_numbers<float>(array, json_size, tensor);
    case DataType::kF64:
      return read_numbers<double>(array, json_size, tensor);
    case DataType::kString:
      return read_strings(array, tensor);
    default:
      return base::invalid_argument("input {}: {} has no JSON form: send it as binary data",
                                    in_quotes(tensor.name), model::protocol_name_of(tensor.type));
  }
}

}  // namespace tachostat::serve

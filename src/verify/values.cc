#include "verify/values.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace tachostat::verify {
namespace {

using model::DataType;

double from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// Wire data need not be aligned, hence memcpy.
template <class T, class Convert>
std::vector<double> convert(std::span<const std::byte> data, Convert convert_one) {
  std::vector<double> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = convert_one(value);
  }
  return values;
}
template <class T>
std::vector<double> convert(std::span<const std::byte> data) {
  return convert<T>(data, [](T value) { return static_cast<double>(value); });
}

}  // namespace

double half_value(std::uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 0x1f;
  const int fraction = bits & 0x3ff;
  if (exponent == 0x1f) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                         : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

bool is_floating(DataType type) {
  return type == DataType::kF16 || type == DataType::kBF16 || type == DataType::kF32 ||
         type == DataType::kF64;
}

std::optional<std::vector<double>> values_of(const engine::Tensor& tensor) {
  switch (tensor.type) {
    case DataType::kF16:
      return convert<std::uint16_t>(tensor.data, half_value);
    case DataType::kBF16:
      return convert<std::uint16_t>(tensor.data, from_bf16);
    case DataType::kF32:
      return convert<float>(tensor.data);
    case DataType::kF64:
      return convert<double>(tensor.data);
    case DataType::kBool:
    case DataType::kU8:
      return convert<std::uint8_t>(tensor.data);
    case DataType::kI8:
      return convert<std::int8_t>(tensor.data);
    case DataType::kI16:
      return convert<std::int16_t>(tensor.data);
    case DataType::kU16:
      return convert<std::uint16_t>(tensor.data);
    case DataType::kI32:
      return convert<std::int32_t>(tensor.data);
    case DataType::kU32:
      return convert<std::uint32_t>(tensor.data);
    case DataType::kI64:
      return convert<std::int64_t>(tensor.data);
    case DataType::kU64:
      return convert<std::uint64_t>(tensor.data);
    default:
      return std::nullopt;
  }
}

}  // namespace tachostat::verify

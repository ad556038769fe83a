#include "verify/data/convert.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "verify/values.h"

namespace tachostat::verify {
namespace {

using model::DataType;
using Fault = std::optional<ConversionFault>;

// A half float's bits, kept apart from u16.
struct Half {
  std::uint16_t bits;
};
struct Truth {
  std::uint8_t value;
};

bool is_whole(DataType type) {
  switch (type) {
    case DataType::kBool:
    case DataType::kI8:
    case DataType::kU8:
    case DataType::kI16:
    case DataType::kU16:
    case DataType::kI32:
    case DataType::kU32:
    case DataType::kI64:
    case DataType::kU64:
      return true;
    default:
      return false;
  }
}

// Calls `use` with a value of the type that stands for `type`.
template <class Use>
Fault with_type(DataType type, Use use) {
  switch (type) {
    case DataType::kBool:
      return use(Truth{});
    case DataType::kI8:
      return use(std::int8_t{});
    case DataType::kU8:
      return use(std::uint8_t{});
    case DataType::kI16:
      return use(std::int16_t{});
    case DataType::kU16:
      return use(std::uint16_t{});
    case DataType::kI32:
      return use(std::int32_t{});
    case DataType::kU32:
      return use(std::uint32_t{});
    case DataType::kI64:
      return use(std::int64_t{});
    case DataType::kU64:
      return use(std::uint64_t{});
    case DataType::kF16:
      return use(Half{});
    case DataType::kF32:
      return use(float{});
    default:
      return use(double{});
  }
}

Fault put(double value, auto& to) {
  using To = std::remove_reference_t<decltype(to)>;
  if (std::isnan(value)) return ConversionFault{.what = "is NaN"};
  if constexpr (std::is_floating_point_v<To>) {
    to = static_cast<To>(value);
    if (std::isinf(to) && !std::isinf(value)) {
      return ConversionFault{.what = fmt::format("is {}, which f32 cannot hold", value)};
    }
  }
  return std::nullopt;
}

Fault put_whole(auto value, auto& to, DataType type) {
  using To = std::remove_reference_t<decltype(to)>;
  if constexpr (std::is_same_v<To, Truth>) {
    to.value = value != 0 ? 1 : 0;
    if (value == 0 || value == 1) return std::nullopt;
  } else if constexpr (std::is_integral_v<To>) {
    to = static_cast<To>(value);
    if (std::in_range<To>(value)) return std::nullopt;
  }
  return ConversionFault{
      .what = fmt::format("is {}, which {} cannot hold", value, model::name_of(type))};
}

template <class From, class To>
Fault convert_one(From from, To& to, DataType type) {
  if constexpr (std::is_same_v<From, Half> && std::is_same_v<To, Half>) {
    to = from;
    return std::isnan(half_value(from.bits)) ? Fault({.what = "is NaN"}) : std::nullopt;
  } else if constexpr (std::is_same_v<From, Half>) {
    return put(half_value(from.bits), to);
  } else if constexpr (std::is_floating_point_v<From>) {
    return put(static_cast<double>(from), to);
  } else if constexpr (std::is_same_v<From, Truth>) {
    return put_whole(from.value != 0 ? 1 : 0, to, type);
  } else {
    return put_whole(from, to, type);
  }
}

bool is_readable_floating(DataType type) {
  return type == DataType::kF16 || type == DataType::kF32 || type == DataType::kF64;
}

// Whole arrays of the usual types; false where something needs a closer look.
bool copy_floats(std::span<const std::byte> in, std::span<std::byte> out) {
  std::memcpy(out.data(), in.data(), in.size());
  const auto* const values = reinterpret_cast<const float*>(out.data());
  float nan = 0;  // becomes NaN with the first one; infinity too, which is then looked at
  for (std::size_t i = 0; i < in.size() / sizeof(float); ++i) nan += values[i] * 0.0F;
  return nan == 0;
}

bool widen_halves(std::span<const std::byte> in, std::span<std::byte> out) {
  static const std::vector<float> values = [] {
    std::vector<float> all(1U << 16);
    for (std::size_t bits = 0; bits < all.size(); ++bits) {
      all[bits] = static_cast<float>(half_value(static_cast<std::uint16_t>(bits)));
    }
    return all;
  }();
  float nan = 0;
  for (std::size_t i = 0; i < in.size() / sizeof(std::uint16_t); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, in.data() + i * sizeof(bits), sizeof(bits));
    const float value = values[bits];
    std::memcpy(out.data() + i * sizeof(value), &value, sizeof(value));
    nan += value * 0.0F;
  }
  return nan == 0;
}

bool convert_at_once(DataType from, std::span<const std::byte> in, DataType to,
                     std::span<std::byte> out) {
  if (to != DataType::kF32) return false;
  if (from == DataType::kF32) return copy_floats(in, out);
  return from == DataType::kF16 && widen_halves(in, out);
}

}  // namespace

bool can_convert(DataType from, DataType to) {
  if (is_whole(from) && is_whole(to)) return true;
  if (!is_readable_floating(from)) return false;
  return from == to || to == DataType::kF32 || to == DataType::kF64;
}

Fault convert(DataType from, std::span<const std::byte> in, DataType to, std::span<std::byte> out) {
  if (convert_at_once(from, in, to, out)) return std::nullopt;
  return with_type(from, [&](auto source) {
    return with_type(to, [&](auto target) -> Fault {
      for (std::size_t i = 0; (i + 1) * sizeof(source) <= in.size(); ++i) {
        std::memcpy(&source, in.data() + i * sizeof(source), sizeof(source));
        if (Fault fault = convert_one(source, target, to)) {
          fault->element = i;
          return fault;
        }
        std::memcpy(out.data() + i * sizeof(target), &target, sizeof(target));
      }
      return std::nullopt;
    });
  });
}

}  // namespace tachostat::verify

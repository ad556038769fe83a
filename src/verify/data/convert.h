// Numbers of a file's type made the model's type, never losing anything in silence.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "model/model.h"

namespace tachostat::verify {

// Same types; f16, f32 and f64 to f32 or f64 (f64 to f32 rounds); whole numbers and bool to
// any other whole type or bool, where every value must fit. Whole numbers to floating ones are
// refused: scaling is the user's choice.
bool can_convert(model::DataType from, model::DataType to);

struct ConversionFault {
  std::size_t element = 0;
  std::string what;  // "is NaN", "is 300, which u8 cannot hold"
};
// Requires can_convert(from, to), as many elements in `out` as in `in`. Infinities pass (masks use
// them); NaN and a finite number that becomes infinite are faults.
std::optional<ConversionFault> convert(model::DataType from, std::span<const std::byte> in,
                                       model::DataType to, std::span<std::byte> out);

}  // namespace tachostat::verify

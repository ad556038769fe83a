// A tensor's elements as plain numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::verify {

// The number that IEEE half-precision bits stand for.
double half_value(std::uint16_t bits);

bool is_floating(model::DataType type);

// Every element as a double; nothing for types that are not numbers of whole bytes. Integers
// beyond 2^53 are rounded. A data size that is no multiple of the element's is cut.
std::optional<std::vector<double>> values_of(const engine::Tensor& tensor);

}  // namespace tachostat::verify

// A tensor's elements as a JSON array, nested or flat, read into dense memory.
#pragma once

#include <simdjson.h>

#include <cstddef>

#include "absl/status/status.h"
#include "engine/engine.h"

namespace tachostat::serve {

// Name, type and shape of `tensor` are set; its data and owner are filled. Nesting need not match
// the shape: elements are taken in the order written, as the protocol allows, and must be exactly
// as many as the shape says. `json_size` bounds what is allocated, whatever the shape claims.
absl::Status read_json_tensor(simdjson::ondemand::value data, std::size_t json_size,
                              engine::Tensor& tensor);

}  // namespace tachostat::serve

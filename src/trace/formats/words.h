// What tools call the same thing, in our words.
#pragma once

#include <string_view>

#include "trace/import.h"

namespace tachostat::trace {

// A numeric type as model::name_of(DataType) spells it, from any tool's spelling: "FP32",
// "float32", "Float" and "F32" are "f32". Empty when it is none that we know.
std::string_view precision_named(std::string_view text);
// Of what precision_named() gives; 0 when unknown.
int bits_of_precision(std::string_view precision);
// The type that ends a kernel's name, as OpenVINO writes it: "jit_avx2_I8" gives "i8". Empty when
// none does.
std::string_view precision_in_kernel(std::string_view kernel);

// Whatever bytes a file has in its names, ours are UTF-8: bad bytes become U+FFFD.
void make_utf8(Import& import);

}  // namespace tachostat::trace

// What an operator does, by whatever name a framework gives it: rules ask for this, so that they
// work on any tool's profile.
#pragma once

#include <cstdint>
#include <string_view>

namespace tachostat::diagnose {

enum class Kind : std::uint8_t {
  kConvolution,
  kTransposedConvolution,
  kMatMul,  // and fully connected, attention
  kRecurrent,
  kElementwise,      // activations too; each output element from the same place of its inputs
  kNormalise,        // batch, layer, group norm, softmax
  kPooling,          // reductions too
  kReorder,          // a change of layout that the engine put in
  kTranspose,        // one that the model asks for
  kCast,             // another number format, without a scale
  kQuantise,         // to or from integers with a scale
  kDynamicQuantise,  // with a scale found while running
  kConcat,
  kCopy,         // same data elsewhere: copies, clones, slices, splits, pads
  kHostCopy,     // between host and device
  kShape,        // arithmetic on shapes, not on data
  kSynchronise,  // waiting for a device
  kOther,
};

// `type` as a tool writes it: "Convolution", "QuantizeLinear", "aten::conv2d", "loop fusion".
// `name`, the layer's, is asked where there is no type. Unknown ones are kOther.
Kind kind_of(std::string_view type, std::string_view name = "");

std::string_view plural_of(Kind kind);  // "transposed convolutions", for people
bool is_heavy(Kind kind);  // where multiplications are: convolutions, matrix products, recurrences
bool is_conversion(Kind kind);  // of layout or number format, without a scale
bool is_overhead(Kind kind);    // moves or converts data and computes nothing

bool is_integer(std::string_view precision);  // i8, u8, i4, u4
bool is_half(std::string_view precision);     // bf16, f16
// Bits of a precision as the engines spell it; 0: not known.
int bits_of(std::string_view precision);

}  // namespace tachostat::diagnose

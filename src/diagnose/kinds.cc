#include "diagnose/kinds.h"

#include <algorithm>
#include <array>
#include <string>

namespace tachostat::diagnose {
namespace {

struct Word {
  std::string_view text;
  Kind kind;
};

// Whole names, lower case, without "aten::", a trailing "_" or separators.
constexpr std::array kWhole = {Word{"add", Kind::kElementwise},
                               Word{"sub", Kind::kElementwise},
                               Word{"mul", Kind::kElementwise},
                               Word{"div", Kind::kElementwise},
                               Word{"pow", Kind::kElementwise},
                               Word{"sqrt", Kind::kElementwise},
                               Word{"erf", Kind::kElementwise},
                               Word{"exp", Kind::kElementwise},
                               Word{"log", Kind::kElementwise},
                               Word{"neg", Kind::kElementwise},
                               Word{"abs", Kind::kElementwise},
                               Word{"math", Kind::kElementwise},
                               Word{"clip", Kind::kElementwise},
                               Word{"where", Kind::kElementwise},
                               Word{"select", Kind::kElementwise},
                               Word{"sum", Kind::kElementwise},
                               Word{"subtract", Kind::kElementwise},
                               Word{"subgraph", Kind::kElementwise},
                               Word{"mvn", Kind::kNormalise},
                               Word{"fc", Kind::kMatMul},
                               Word{"dot", Kind::kMatMul},
                               Word{"mm", Kind::kMatMul},
                               Word{"bmm", Kind::kMatMul},
                               Word{"addmm", Kind::kMatMul},
                               Word{"to", Kind::kCast},
                               Word{"tocopy", Kind::kCast},
                               Word{"shape", Kind::kShape},
                               Word{"size", Kind::kShape},
                               Word{"range", Kind::kShape},
                               Word{"contiguous", Kind::kReorder},
                               Word{"cat", Kind::kConcat},
                               Word{"permute", Kind::kTranspose},
                               Word{"slice", Kind::kCopy},
                               Word{"pad", Kind::kCopy},
                               Word{"split", Kind::kCopy},
                               Word{"copy", Kind::kCopy},
                               Word{"reshape", Kind::kCopy},
                               Word{"quantize", Kind::kQuantise},
                               Word{"dequantize", Kind::kQuantise}};

// Parts of names; the first that is in it decides, so the special ones stand first.
constexpr std::array kParts = {Word{"dynamicquantizematmul", Kind::kMatMul},
                               Word{"dynamicquantizelstm", Kind::kRecurrent},
                               Word{"dynamicquant", Kind::kDynamicQuantise},
                               Word{"quantizelinear", Kind::kQuantise},
                               Word{"fakequant", Kind::kQuantise},
                               Word{"quantizeper", Kind::kQuantise},
                               Word{"dtod", Kind::kCopy},
                               Word{"devicetodevice", Kind::kCopy},
                               Word{"hosttohost", Kind::kCopy},
                               Word{"memcpyhtoh", Kind::kCopy},
                               Word{"broadcast", Kind::kOther},
                               Word{"upsample", Kind::kOther},
                               Word{"interpol", Kind::kOther},
                               Word{"resize", Kind::kOther},
                               Word{"memcpyh", Kind::kHostCopy},
                               Word{"memcpyd", Kind::kHostCopy},
                               Word{"memcpyfromhost", Kind::kHostCopy},
                               Word{"memcpytohost", Kind::kHostCopy},
                               Word{"htod", Kind::kHostCopy},
                               Word{"dtoh", Kind::kHostCopy},
                               Word{"synchron", Kind::kSynchronise},
                               Word{"deconv", Kind::kTransposedConvolution},
                               Word{"convtranspose", Kind::kTransposedConvolution},
                               Word{"transposedconv", Kind::kTransposedConvolution},
                               Word{"convolutionbackprop", Kind::kTransposedConvolution},
                               Word{"shapeof", Kind::kShape},
                               Word{"constantofshape", Kind::kShape},
                               Word{"reorder", Kind::kReorder},
                               Word{"reformat", Kind::kReorder},
                               Word{"layoutconv", Kind::kReorder},
                               Word{"memoryformat", Kind::kReorder},
                               Word{"transpose", Kind::kTranspose},
                               Word{"broadcast", Kind::kElementwise},
                               Word{"convert", Kind::kCast},
                               Word{"cast", Kind::kCast},
                               Word{"conv", Kind::kConvolution},
                               Word{"batchnorm", Kind::kNormalise},
                               Word{"layernorm", Kind::kNormalise},
                               Word{"groupnorm", Kind::kNormalise},
                               Word{"instancenorm", Kind::kNormalise},
                               Word{"rmsnorm", Kind::kNormalise},
                               Word{"normaliz", Kind::kNormalise},
                               Word{"softmax", Kind::kNormalise},
                               Word{"lrn", Kind::kNormalise},
                               Word{"attention", Kind::kMatMul},
                               Word{"matmul", Kind::kMatMul},
                               Word{"fullyconnected", Kind::kMatMul},
                               Word{"gemm", Kind::kMatMul},
                               Word{"linear", Kind::kMatMul},
                               Word{"innerproduct", Kind::kMatMul},
                               Word{"dotgeneral", Kind::kMatMul},
                               Word{"lstm", Kind::kRecurrent},
                               Word{"gru", Kind::kRecurrent},
                               Word{"rnn", Kind::kRecurrent},
                               Word{"pool", Kind::kPooling},
                               Word{"reduce", Kind::kPooling},
                               Word{"concat", Kind::kConcat},
                               Word{"eltwise", Kind::kElementwise},
                               Word{"elementwise", Kind::kElementwise},
                               Word{"pointwise", Kind::kElementwise},
                               Word{"relu", Kind::kElementwise},
                               Word{"sigmoid", Kind::kElementwise},
                               Word{"silu", Kind::kElementwise},
                               Word{"swish", Kind::kElementwise},
                               Word{"tanh", Kind::kElementwise},
                               Word{"gelu", Kind::kElementwise},
                               Word{"clamp", Kind::kElementwise},
                               Word{"multiply", Kind::kElementwise},
                               Word{"activation", Kind::kElementwise},
                               Word{"scaleshift", Kind::kElementwise},
                               Word{"clone", Kind::kCopy},
                               Word{"memcpy", Kind::kCopy},
                               Word{"stridedslice", Kind::kCopy},
                               Word{"copystart", Kind::kCopy},
                               Word{"tensoriterator", Kind::kRecurrent}};

std::string plain(std::string_view text) {
  if (text.starts_with("aten::")) text.remove_prefix(6);
  std::string result;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter >= 'A' && letter <= 'Z') {
      result += static_cast<char>(letter - 'A' + 'a');
    } else if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')) {
      result += c;
    }
  }
  return result;
}

}  // namespace

Kind kind_of(std::string_view type, std::string_view name) {
  const std::string word = plain(type.empty() ? name : type);
  for (const Word& one : kWhole) {
    if (word == one.text) return one.kind;
  }
  for (const Word& one : kParts) {
    if (word.find(one.text) != std::string::npos) return one.kind;
  }
  return Kind::kOther;
}

std::string_view plural_of(Kind kind) {
  switch (kind) {
    case Kind::kConvolution:
      return "convolutions";
    case Kind::kTransposedConvolution:
      return "transposed convolutions";
    case Kind::kMatMul:
      return "matrix products";
    case Kind::kRecurrent:
      return "recurrences";
    case Kind::kElementwise:
      return "element-wise steps";
    case Kind::kNormalise:
      return "normalisations";
    case Kind::kPooling:
      return "poolings and reductions";
    case Kind::kReorder:
      return "reorders";
    case Kind::kTranspose:
      return "transposes";
    case Kind::kCast:
      return "casts";
    case Kind::kQuantise:
      return "quantise steps";
    case Kind::kDynamicQuantise:
      return "dynamic quantise steps";
    case Kind::kConcat:
      return "concatenations";
    case Kind::kCopy:
      return "copies";
    case Kind::kHostCopy:
      return "copies between host and device";
    case Kind::kShape:
      return "shape computations";
    case Kind::kSynchronise:
      return "waits";
    case Kind::kOther:
      return "others";
  }
  return "others";
}

bool is_heavy(Kind kind) {
  return kind == Kind::kConvolution || kind == Kind::kTransposedConvolution ||
         kind == Kind::kMatMul || kind == Kind::kRecurrent;
}

bool is_conversion(Kind kind) {
  return kind == Kind::kReorder || kind == Kind::kTranspose || kind == Kind::kCast;
}

bool is_overhead(Kind kind) {
  return is_conversion(kind) || kind == Kind::kQuantise || kind == Kind::kDynamicQuantise ||
         kind == Kind::kCopy;
}

bool is_integer(std::string_view precision) {
  return precision == "i8" || precision == "u8" || precision == "i4" || precision == "u4";
}

bool is_half(std::string_view precision) { return precision == "bf16" || precision == "f16"; }

int bits_of(std::string_view precision) {
  if (precision == "f64" || precision == "i64" || precision == "u64") return 64;
  if (precision == "f32" || precision == "i32" || precision == "u32" || precision == "tf32") {
    return 32;
  }
  if (is_half(precision) || precision == "i16" || precision == "u16") return 16;
  if (precision == "i4" || precision == "u4") return 4;
  return is_integer(precision) || precision == "f8" ? 8 : 0;
}

}  // namespace tachostat::diagnose

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "model/model.h"

namespace tachostat::model {
namespace {

struct TypeNames {
  DataType type;
  int bits;
  std::string_view name;
  std::string_view protocol;
};

constexpr std::array kTypes = {
    TypeNames{DataType::kBool, 8, "bool", "BOOL"},
    TypeNames{DataType::kI4, 4, "i4", ""},
    TypeNames{DataType::kU4, 4, "u4", ""},
    TypeNames{DataType::kI8, 8, "i8", "INT8"},
    TypeNames{DataType::kU8, 8, "u8", "UINT8"},
    TypeNames{DataType::kI16, 16, "i16", "INT16"},
    TypeNames{DataType::kU16, 16, "u16", "UINT16"},
    TypeNames{DataType::kI32, 32, "i32", "INT32"},
    TypeNames{DataType::kU32, 32, "u32", "UINT32"},
    TypeNames{DataType::kI64, 64, "i64", "INT64"},
    TypeNames{DataType::kU64, 64, "u64", "UINT64"},
    TypeNames{DataType::kF8, 8, "f8", ""},
    TypeNames{DataType::kF16, 16, "f16", "FP16"},
    TypeNames{DataType::kBF16, 16, "bf16", "BF16"},
    TypeNames{DataType::kF32, 32, "f32", "FP32"},
    TypeNames{DataType::kF64, 64, "f64", "FP64"},
    TypeNames{DataType::kString, 0, "string", "BYTES"},
};
constexpr TypeNames kNoType{DataType::kUnknown, 0, "unknown", ""};

const TypeNames& names_of(DataType type) {
  for (const TypeNames& names : kTypes) {
    if (names.type == type) return names;
  }
  return kNoType;
}

}  // namespace

int bits_of(DataType type) { return names_of(type).bits; }

std::string_view name_of(DataType type) { return names_of(type).name; }

DataType data_type_of(std::string_view name) {
  for (const TypeNames& names : kTypes) {
    if (names.name == name) return names.type;
  }
  return DataType::kUnknown;
}

std::string_view protocol_name_of(DataType type) { return names_of(type).protocol; }

DataType data_type_of_protocol(std::string_view name) {
  if (name.empty()) return DataType::kUnknown;
  for (const TypeNames& names : kTypes) {
    if (names.protocol == name) return names.type;
  }
  return DataType::kUnknown;
}

bool is_static(const Shape& shape) {
  return std::none_of(shape.begin(), shape.end(), [](std::int64_t d) { return d < 0; });
}

std::int64_t elements_of(const Shape& shape) {
  if (!is_static(shape) || std::count(shape.begin(), shape.end(), 0) > 0) return 0;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t product = 1;
  for (const std::int64_t dimension : shape) {
    if (product > kMost / dimension) return kMost;
    product *= dimension;
  }
  return product;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ',';
    text += shape[i] < 0 ? "?" : fmt::format("{}", shape[i]);
  }
  return text + "]";
}

bool accepts(const Shape& declared, const Shape& actual) {
  if (!is_static(actual)) return false;
  return std::equal(declared.begin(), declared.end(), actual.begin(), actual.end(),
                    [](std::int64_t d, std::int64_t a) { return d < 0 || d == a; });
}

std::string to_string(const InputShapes& shapes) {
  if (shapes.empty()) return "dynamic";
  std::string text;
  for (const auto& [name, shape] : shapes) {
    if (!text.empty()) text += ';';
    text += name + to_string(shape);
  }
  return text;
}

double Work::bytes() const {
  if (weight_bytes < 0 || input_bytes < 0 || output_bytes < 0) return -1;
  return weight_bytes + input_bytes + output_bytes;
}

const Port* Graph::find_input(std::string_view port) const {
  for (const Port& input : inputs) {
    if (input.name == port) return &input;
  }
  return nullptr;
}

const Port* Graph::find_output(std::string_view port) const {
  for (const Port& output : outputs) {
    if (output.name == port) return &output;
  }
  return nullptr;
}

int Graph::find_layer(std::string_view layer) const {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].name == layer) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace tachostat::model

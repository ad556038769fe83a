#include "trace/formats/words.h"

#include <simdjson.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "trace/formats/csv.h"

namespace tachostat::trace {
namespace {

struct Word {
  std::string_view precision;
  int bits;
  std::array<std::string_view, 5> spellings;
};

constexpr std::array kWords = {
    Word{"f64", 64, {"f64", "fp64", "float64", "double"}},
    Word{"f32", 32, {"f32", "fp32", "float32", "float"}},
    Word{"f16", 16, {"f16", "fp16", "float16", "half"}},
    Word{"bf16", 16, {"bf16", "bfloat16"}},
    Word{"f8", 8, {"f8", "fp8", "f8e4m3", "f8e5m2", "float8"}},
    Word{"i64", 64, {"i64", "int64", "s64"}},
    Word{"u64", 64, {"u64", "uint64"}},
    Word{"i32", 32, {"i32", "int32", "s32"}},
    Word{"u32", 32, {"u32", "uint32"}},
    Word{"i16", 16, {"i16", "int16", "s16"}},
    Word{"u16", 16, {"u16", "uint16"}},
    Word{"i8", 8, {"i8", "int8", "s8"}},
    Word{"u8", 8, {"u8", "uint8"}},
    Word{"i4", 4, {"i4", "int4", "s4"}},
    Word{"u4", 4, {"u4", "uint4"}},
    Word{"bool", 8, {"bool", "boolean"}},
    Word{"string", 0, {"string"}},
};

void make_utf8(std::string& text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return;
  using nlohmann::json;
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  text = json::parse(quoted).get<std::string>();
}

}  // namespace

std::string_view precision_named(std::string_view text) {
  for (const Word& word : kWords) {
    for (const std::string_view spelling : word.spellings) {
      if (!spelling.empty() && same_ignoring_case(spelling, text)) return word.precision;
    }
  }
  return {};
}

int bits_of_precision(std::string_view precision) {
  for (const Word& word : kWords) {
    if (word.precision == precision) return word.bits;
  }
  return 0;
}

std::string_view precision_in_kernel(std::string_view kernel) {
  const std::size_t at = kernel.rfind('_');
  return at == kernel.npos ? std::string_view() : precision_named(kernel.substr(at + 1));
}

void make_utf8(Import& import) {
  make_utf8(import.tool);
  make_utf8(import.model);
  for (LayerRow& row : import.layers) {
    for (std::string* text :
         {&row.name, &row.type, &row.kernel, &row.precision, &row.layout, &row.device}) {
      make_utf8(*text);
    }
    for (std::string& original : row.originals) make_utf8(original);
    std::map<std::string, double> metrics;
    for (const auto& [name, value] : row.metrics) {
      std::string text = name;
      make_utf8(text);
      metrics.emplace(std::move(text), value);
    }
    row.metrics = std::move(metrics);
  }
  for (std::string& name : import.trace.names) make_utf8(name);
  for (auto& [thread, name] : import.trace.threads) make_utf8(name);
  for (CounterTrack& counter : import.trace.counters) {
    make_utf8(counter.name);
    make_utf8(counter.unit);
  }
  for (std::string& note : import.notes) make_utf8(note);
}

}  // namespace tachostat::trace

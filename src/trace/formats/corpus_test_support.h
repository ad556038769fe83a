// For tests: what every importer must do with any bytes, and the fuzzers' kept inputs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "trace/formats/import_test_support.h"

namespace tachostat::trace {

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::string corpus(std::string_view format, std::string_view name) {
  return file_bytes(std::filesystem::path(TACHOSTAT_SOURCE_DIR) / "fuzz/corpus" / format / name);
}

// Rows of numbers that a profile can be made of.
inline void expect_sound_rows(const Import& import) {
  for (const LayerRow& row : import.layers) {
    EXPECT_FALSE(row.name.empty());
    for (const double number :
         {row.mean_ns, row.min_ns, row.median_ns, row.max_ns, row.flops, row.bytes}) {
      EXPECT_TRUE(std::isfinite(number) && (number >= 0 || number == -1)) << row.name;
    }
    for (const auto& [name, value] : row.metrics) EXPECT_TRUE(std::isfinite(value)) << name;
    EXPECT_TRUE(row.count == 0 || row.mean_ns >= 0) << row.name;
  }
}

// One clear answer: a sound import, or an error that names the file.
inline void expect_clear_answer(const std::string& bytes, std::string_view format) {
  const auto import = import_text(bytes, format, "the-file");
  if (import.ok()) {
    expect_sound(*import);
    expect_sound_rows(*import);
    return;
  }
  EXPECT_NE(import.status().ToString().find("the-file"), std::string::npos) << import.status();
  EXPECT_TRUE(import.status().code() == absl::StatusCode::kInvalidArgument ||
              import.status().code() == absl::StatusCode::kResourceExhausted)
      << import.status();
}

// Cut off anywhere, empty, and with bytes changed in a fixed pattern.
inline void expect_clear_answers_to_damage(const std::string& bytes, std::string_view format) {
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 300);
  for (std::size_t length = 0; length < bytes.size(); length += step) {
    expect_clear_answer(bytes.substr(0, length), format);
  }
  constexpr std::string_view kBytes("\0\xff\"<[{,;\n-9e", 12);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::string damaged = bytes;
    damaged[at] = kBytes[at / step % kBytes.size()];
    expect_clear_answer(damaged, format);
  }
}

}  // namespace tachostat::trace

// For the importers' tests: text in, Import out.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "trace/formats/formats.h"

namespace tachostat::trace {

inline absl::StatusOr<Import> import_text(std::string bytes, std::string_view format = "auto",
                                          std::string name = "memory") {
  auto input = Input::of(std::move(bytes), std::move(name));
  if (!input.ok()) return input.status();
  return import_from(*input, format);
}

inline std::string sample(std::string_view name) {
  return std::string(TACHOSTAT_SOURCE_DIR) + "/test/data/imports/" + std::string(name);
}

// Names of the spans of a kind, in the trace's order.
inline std::vector<std::string> names_of(const Trace& trace, Kind kind) {
  std::vector<std::string> names;
  for (const Span& span : trace.spans) {
    if (span.kind == kind) names.emplace_back(trace.name(span));
  }
  return names;
}

inline const LayerRow* row_named(const Import& import, std::string_view name) {
  for (const LayerRow& row : import.layers) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// Every name, line and flow points at something, whatever the file was.
inline void expect_sound(const Import& import) {
  for (const Span& span : import.trace.spans) {
    ASSERT_LT(span.name, import.trace.names.size());
    ASSERT_LE(span.begin_ns, span.end_ns);
  }
  for (const Flow& flow : import.trace.flows) {
    ASSERT_LT(flow.from, import.trace.spans.size());
    ASSERT_LT(flow.to, import.trace.spans.size());
  }
}

}  // namespace tachostat::trace

// Every tool's format that can be read, by name. A new one is one file that defines a
// `const Importer`, and its line in importers.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "trace/import.h"

namespace tachostat::trace {

struct Importer {
  std::string_view name;  // "kineto", as --from takes it
  std::string_view help;  // whose, and how it is made: "PyTorch's profiler, export_chrome_trace()"
  // Whether a file that starts with these bytes (Input::start(), unpacked) is this format's. Only
  // one importer should say so of any file; the first in the list wins.
  bool (*recognises)(std::string_view start, std::string_view file_name);
  // InvalidArgument names the file, the place and what was expected; never crashes on any bytes,
  // and uses memory in proportion to what it keeps, not to what a length in the file claims.
  absl::StatusOr<Import> (*read)(Input& input);
};

std::span<const Importer* const> importers();

// Reads a file of the named format, or of whatever importer recognises it when `format` is "auto".
absl::StatusOr<Import> import_from(Input& input, std::string_view format = "auto");
absl::StatusOr<Import> import_file(const std::string& path, std::string_view format = "auto");
// Several files of one run, e.g. TensorRT's profile and layer information: rows are joined by
// name, what the first leaves open is taken from the later; at most one may have a timeline.
absl::StatusOr<Import> combine(std::vector<Import> parts);

}  // namespace tachostat::trace

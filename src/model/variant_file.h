// A verified variant on disk: one readable JSON file, docs/design/recipe-format.md. It says what it
// was proved on, so that whoever loads it can tell whether the proof holds there.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/model.h"

namespace tachostat::model {

struct VariantFile {
  static constexpr int kVersion = 1;

  std::string model_path = {};  // as it was given; relative to the file's folder when that is so
  std::string model_hash = {};  // Graph::hash
  std::string data_hash = {};
  std::string engine_version = {};
  std::string machine = {};  // profile::Fingerprint::hash()
  Variant variant = {};
  // What was measured when it was proved.
  double drop_bound = 1;
  std::string metric = {};
  double service_ms = 0;  // one request at a time
  double capacity = 0;    // requests per second, saturated
  std::string proof =
      "{}";  // a JSON object for people: intervals, samples, what it was held against
};

std::string to_json(const VariantFile& file);
// InvalidArgument: not such a file, of a newer version, or damaged (its checksum says).
absl::StatusOr<VariantFile> variant_file_from_json(std::string_view json);

}  // namespace tachostat::model

// What a model's author wrote beside the network.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace tachostat::model {

// The text under `key` in the file's own metadata (ONNX: metadata_props; an IR that was made from
// such a file keeps them). Reads the whole model. NotFound when there is no such key;
// InvalidArgument when the file is no model.
absl::StatusOr<std::string> read_metadata(const std::string& path, const std::string& key);

}  // namespace tachostat::model

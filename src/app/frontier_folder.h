// What `tachostat optimize` left in a folder, for a server that starts from it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/variant_file.h"
#include "optimize/optimize.h"
#include "verify/verify.h"

namespace tachostat::app {

bool is_frontier_folder(const std::string& path);

struct FrontierFolder {
  std::string model_path;
  // Proved on this machine with this engine: trusted, fastest first.
  std::vector<verify::Point> verified;
  // Proved elsewhere: proposed anew, and tried before they serve.
  std::vector<optimize::Proposal> unproved;
};

// Damaged files are left out with a warning. `model_path`, when given, replaces the files' own.
// NotFound: no file that can be used; InvalidArgument: variants of another model than the file at
// the path.
absl::StatusOr<FrontierFolder> read_frontier(const std::string& folder,
                                             const std::string& model_path,
                                             const std::string& machine,
                                             const std::string& engine_version);

}  // namespace tachostat::app

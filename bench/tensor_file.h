// Tensors on their way between processes: a file of their bytes, one after the other, each from a
// multiple of 64 on, and a JSON array that says what they are: for each sample an array of
// {"name", "type", "shape"}. bench/zoo_workers.py reads and writes the same.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace tachostat {

using TensorRows = std::vector<std::vector<engine::Tensor>>;  // by sample

// Writes samples as they come, so that they need not all be held.
class TensorFile {
 public:
  explicit TensorFile(const std::string& path);
  ~TensorFile();
  void add(const std::vector<engine::Tensor>& sample);
  // What was written. Unavailable when the disk is full or the folder is not there.
  absl::StatusOr<nlohmann::json> finish();

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  nlohmann::json samples_ = nlohmann::json::array();
};

// InvalidArgument when the file is shorter than what is said of it, or a type is unknown.
absl::StatusOr<TensorRows> read_tensors(const std::string& path, const nlohmann::json& samples);

}  // namespace tachostat

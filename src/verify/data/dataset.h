// Data that a model is judged on: samples that fit its inputs, and what the right answers are.
// docs/data.md says how it is given.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "verify/data/labels.h"

namespace tachostat::verify {

class Source;

// Immutable; reads are thread-safe. Samples are read when they are asked for.
class Dataset {
 public:
  // `path`: an .npz or .npy that stacks samples, or a folder with an .npz or .npy per sample.
  // Everything is read once: types, shapes, lengths and checksums are checked, NaN is refused.
  // Errors name file, array, what was expected and what was found: NotFound, InvalidArgument,
  // ResourceExhausted (no room for what is unpacked).
  static absl::StatusOr<std::unique_ptr<const Dataset>> open(const std::string& path,
                                                             const model::Graph& graph);
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  std::size_t size() const;
  // One request: the model's inputs in its order, with its names and types. Each call reads.
  absl::StatusOr<std::vector<engine::Tensor>> sample(std::size_t index) const;
  // The shapes that sample() has, without reading it.
  model::InputShapes shapes(std::size_t index) const;

  // Without labels, kind is kNone; else there is one per sample.
  const Labels& labels() const { return labels_; }

  // SHA-256 over what the arrays and labels hold (and a folder's file names): the same on every
  // machine, whatever the order in which a folder is listed and however an archive is compressed.
  const std::string& hash() const { return hash_; }
  const std::string& path() const { return path_; }

 private:
  Dataset() = default;

  std::string path_;
  std::vector<model::Port> inputs_;
  std::unique_ptr<const Source> source_;
  Labels labels_;
  std::string hash_;
};

}  // namespace tachostat::verify

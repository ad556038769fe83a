// Where a dataset's samples lie: stacked in one file, or one file each in a folder.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/hash.h"
#include "model/model.h"
#include "verify/data/array.h"
#include "verify/data/labels.h"

namespace tachostat::verify {

// Immutable and thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::size_t size() const = 0;
  virtual const model::Shape& shape(std::size_t sample, std::size_t input) const = 0;
  // All inputs of one sample, in the graph's order and in the model's types.
  virtual absl::StatusOr<std::vector<std::vector<std::byte>>> read(std::size_t sample) const = 0;
};

struct Opened {
  std::unique_ptr<const Source> source;
  Labels labels;
  std::string hash;
};
absl::StatusOr<Opened> open_npz_stack(const std::string& path, const model::Graph& graph);
absl::StatusOr<Opened> open_npy_stack(const std::string& path, const model::Graph& graph);
absl::StatusOr<Opened> open_folder(const std::string& path, const model::Graph& graph);

// The answer to whoever gives pictures: how they are made an .npz. `example` is one of them.
absl::Status pictures_refused(const std::string& example, const model::Graph& graph);
bool is_picture(const std::string& file_name);

// One sample of one input may have this much.
inline constexpr std::uint64_t kMostSampleBytes = std::uint64_t{1} << 30;

// Checks an array of samples for one input while it is read.
class InputVisitor final : public ArrayVisitor {
 public:
  InputVisitor(const model::Port& port, bool stacked) : port_(port), stacked_(stacked) {}
  absl::Status begin(const NpyHeader& header) override;
  absl::Status data(std::span<const std::byte> elements) override;

  std::int64_t samples() const { return samples_; }     // 0: the same for every sample
  const model::Shape& shape() const { return shape_; }  // of one sample
  std::string digest();                                 // of the content; call once

 private:
  model::Port port_;
  bool stacked_;
  NpyHeader header_;
  std::int64_t samples_ = 0;
  model::Shape shape_;
  std::uint64_t seen_ = 0;  // elements
  std::vector<std::byte> scratch_;
  base::Sha256 hash_;
};

}  // namespace tachostat::verify

// Writes tensors of many samples as one .npz, without holding them in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "model/model.h"
#include "verify/data/temporary.h"

namespace tachostat::verify {

// One array's worth of samples, spooled to a file in `folder` as they come. bf16 becomes f32, which
// NumPy has.
class SampleSpool {
 public:
  static absl::StatusOr<SampleSpool> create(std::string name, const std::string& file);
  // InvalidArgument for a type that NumPy lacks, or that is not the first one's.
  absl::Status add(const engine::Tensor& tensor);

 private:
  friend class NpzWriter;
  struct Record {
    std::uint64_t begin = 0;  // of its header
    std::uint64_t data = 0;
    std::uint64_t bytes = 0;  // of its data
    model::Shape shape;
  };
  SampleSpool(std::string name, std::string file, Descriptor descriptor)
      : name_(std::move(name)), file_(std::move(file)), descriptor_(std::move(descriptor)) {}
  bool stackable() const;

  std::string name_;
  std::string file_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
  std::string descr_;
  std::vector<Record> records_;
};

// Not thread-safe. Files and spools must stay until write() is done.
class NpzWriter {
 public:
  // Samples of one shape become one array stacked along axis 0 (a batch axis of 1 is joined, else
  // an axis is added); of several shapes `NAME/0`, `NAME/1`, …
  absl::Status add(const SampleSpool& spool);
  absl::Status add_numbers(std::string name, const std::vector<std::int64_t>& values);
  absl::Status add_texts(std::string name, const std::vector<std::string>& texts);

  // Uncompressed. ResourceExhausted when the disk is full.
  absl::Status write(const std::string& path) const;

 private:
  struct Member {
    std::string name;
    std::string held = {};  // the whole member; else a part of a file
    std::string file = {};
    std::uint64_t begin = 0, bytes = 0;
  };
  std::vector<Member> members_;
};

}  // namespace tachostat::verify

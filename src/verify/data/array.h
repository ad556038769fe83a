// One array of a file: its header, and its elements read on demand, so that a file larger than
// memory can be used. A plain .npy and an uncompressed member of an .npz are read in place; a
// compressed member is unpacked once into a temporary file that has no name and goes with the
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "verify/data/npy.h"
#include "verify/data/zip.h"

namespace tachostat::verify {

// Sees an array once, while it is opened: its header, then all of its elements in order, in pieces
// of whole elements. An error ends the reading.
class ArrayVisitor {
 public:
  virtual ~ArrayVisitor() = default;
  virtual absl::Status begin(const NpyHeader& header) = 0;
  virtual absl::Status data(std::span<const std::byte> elements) = 0;
};

// Immutable and thread-safe.
class Array {
 public:
  virtual ~Array() = default;
  const NpyHeader& header() const { return header_; }
  // Fills `into` from byte `offset` of the elements.
  virtual absl::Status read(std::uint64_t offset, std::span<std::byte> into) const = 0;

 protected:
  explicit Array(NpyHeader header) : header_(std::move(header)) {}

 private:
  NpyHeader header_;
};

// Both read the whole array once, in small pieces, and check that it is as long as its header says.
// Messages name neither the file nor the member: the caller does.
absl::StatusOr<std::unique_ptr<const Array>> open_npy(const std::string& path,
                                                      ArrayVisitor& visitor);
absl::StatusOr<std::unique_ptr<const Array>> open_member(std::shared_ptr<const ZipFile> archive,
                                                         const ZipFile::Member& member,
                                                         ArrayVisitor& visitor);

// The same reading, keeping nothing.
absl::Status visit_npy(const std::string& path, ArrayVisitor& visitor);
absl::Status visit_member(const ZipFile& archive, const ZipFile::Member& member,
                          ArrayVisitor& visitor);

// A compressed member may unpack to this much and no more; a larger one must be saved uncompressed.
inline constexpr std::uint64_t kMostUnpacked = std::uint64_t{4} << 30;

}  // namespace tachostat::verify

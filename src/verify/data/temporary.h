// Files by descriptor, and temporary ones. The temporary folder is the system's (TMPDIR).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace tachostat::verify {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }

 private:
  int number_;
};

// Errors name the path: NotFound, Unavailable.
absl::StatusOr<Descriptor> open_to_read(const std::string& path);
// Fills `into` from `offset`; less only at the file's end.
absl::StatusOr<std::size_t> read_from(const Descriptor& file, std::uint64_t offset,
                                      std::span<std::byte> into);
// Appends. ResourceExhausted when the disk is full.
absl::Status write_to(const Descriptor& file, std::span<const std::byte> data);

// A file without a name, gone when its descriptor is closed.
absl::StatusOr<Descriptor> temporary_file();

// A folder that is removed with all it holds.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace tachostat::verify

// A zip archive, read by libzip: NumPy's .npz is one, with a .npy per array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"

struct zip;
struct zip_file;

namespace tachostat::verify {

// Sequential bytes: fills `into` unless the end comes first; says how many it filled.
using ReadBytes = absl::FunctionRef<absl::StatusOr<std::size_t>(std::span<std::byte> into)>;

// Thread-safe: reads take turns.
class ZipFile {
 public:
  struct Member {
    std::string name;
    std::uint64_t index = 0;
    std::uint64_t bytes = 0;  // as the archive declares it, unpacked
    bool stored = false;      // not compressed: can be read from any place
  };

  // NotFound, or InvalidArgument for what is no archive, is truncated, names a member twice, or has
  // an encrypted member.
  static absl::StatusOr<std::shared_ptr<const ZipFile>> open(const std::string& path);
  ~ZipFile();
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  // In the archive's order.
  const std::vector<Member>& members() const { return members_; }

  // Gives `use` the member's bytes from its start. Whoever reads to the end has its checksum and
  // its declared length checked. `use` must not call this object.
  absl::Status unpack(const Member& member, absl::FunctionRef<absl::Status(ReadBytes)> use) const;

  // Fills `into` from `offset` of a stored member.
  absl::Status read_at(const Member& member, std::uint64_t offset, std::span<std::byte> into) const;

 private:
  explicit ZipFile(zip* archive) : archive_(archive) {}
  absl::Status list_members();
  absl::StatusOr<std::shared_ptr<zip_file>> open_member(const Member& member) const
      TS_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  zip* archive_ TS_GUARDED_BY(mutex_);
  std::vector<Member> members_;
};

}  // namespace tachostat::verify

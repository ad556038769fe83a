#include "verify/data/temporary.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/status.h"

namespace tachostat::verify {
namespace {

absl::StatusOr<std::filesystem::path> temporary_place() {
  std::error_code error;
  auto place = std::filesystem::temp_directory_path(error);
  if (error) return base::unavailable("no folder for temporary files: {}", error.message());
  return place;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

absl::StatusOr<Descriptor> open_to_read(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() >= 0) return file;
  if (errno == ENOENT) return base::not_found("no file '{}'", path);
  return base::unavailable("cannot open '{}': {}", path, std::strerror(errno));
}

absl::StatusOr<std::size_t> read_from(const Descriptor& file, std::uint64_t offset,
                                      std::span<std::byte> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = pread(file.get(), into.data() + filled, into.size() - filled,
                              static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::unavailable("cannot read: {}", std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

absl::Status write_to(const Descriptor& file, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t done = write(file.get(), data.data(), data.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      return absl::ResourceExhaustedError(
          fmt::format("cannot write a temporary file: {}: free some space or set TMPDIR",
                      std::strerror(errno)));
    }
    data = data.subspan(static_cast<std::size_t>(done));
  }
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> temporary_file() {
  TS_ASSIGN_OR_RETURN(const std::filesystem::path place, temporary_place());
  std::string path = place / "tachostat-XXXXXX";
  Descriptor file(mkostemp(path.data(), O_CLOEXEC));
  if (file.get() < 0) {
    return base::unavailable("cannot make a file in '{}': {}", place.string(),
                             std::strerror(errno));
  }
  unlink(path.c_str());
  return file;
}

absl::StatusOr<TemporaryFolder> TemporaryFolder::create() {
  TS_ASSIGN_OR_RETURN(const std::filesystem::path place, temporary_place());
  std::string path = place / "tachostat-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    return base::unavailable("cannot make a folder in '{}': {}", place.string(),
                             std::strerror(errno));
  }
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace tachostat::verify

#include "verify/data/zip.h"

#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/status.h"

namespace tachostat::verify {
namespace {

absl::Status broken(std::string_view member, std::string_view reason) {
  return base::invalid_argument("member '{}' cannot be read ({}): the archive is damaged", member,
                                reason);
}

// libzip may give less than was asked for.
absl::StatusOr<std::size_t> fill(zip_file* file, std::string_view name, std::span<std::byte> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const zip_int64_t got = zip_fread(file, into.data() + filled, into.size() - filled);
    if (got < 0) return broken(name, zip_file_strerror(file));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ZipFile>> ZipFile::open(const std::string& path) {
  int code = 0;
  zip* archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (code == ZIP_ER_NOENT) return base::not_found("'{}': {}", path, reason);
    return base::invalid_argument("'{}' is no readable .npz archive ({}): is it cut short?", path,
                                  reason);
  }
  std::shared_ptr<ZipFile> file(new ZipFile(archive));
  TS_RETURN_IF_ERROR(base::with_context(file->list_members(), path));
  return file;
}

ZipFile::~ZipFile() {
  const base::MutexLock lock(mutex_);
  zip_discard(archive_);
}

absl::Status ZipFile::list_members() {
  const base::MutexLock lock(mutex_);
  std::set<std::string> seen;
  const zip_int64_t count = zip_get_num_entries(archive_, 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive_, static_cast<zip_uint64_t>(i), 0, &stat) != 0 ||
        (stat.valid & needed) != needed) {
      return base::invalid_argument("member {} of the archive has no name or size", i);
    }
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
      return base::invalid_argument("member '{}' is encrypted: save it without a password",
                                    stat.name);
    }
    if (!seen.insert(stat.name).second) {
      return base::invalid_argument("the archive has two members named '{}'", stat.name);
    }
    members_.push_back({.name = stat.name,
                        .index = static_cast<std::uint64_t>(i),
                        .bytes = stat.size,
                        .stored = stat.comp_method == ZIP_CM_STORE});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<zip_file>> ZipFile::open_member(const Member& member) const {
  zip_file* file = zip_fopen_index(archive_, member.index, 0);
  if (file == nullptr) return broken(member.name, zip_strerror(archive_));
  return std::shared_ptr<zip_file>(file, zip_fclose);
}

absl::Status ZipFile::unpack(const Member& member,
                             absl::FunctionRef<absl::Status(ReadBytes)> use) const {
  const base::MutexLock lock(mutex_);
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<zip_file> file, open_member(member));
  return use([&](std::span<std::byte> into) { return fill(file.get(), member.name, into); });
}

absl::Status ZipFile::read_at(const Member& member, std::uint64_t offset,
                              std::span<std::byte> into) const {
  const base::MutexLock lock(mutex_);
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<zip_file> file, open_member(member));
  if (zip_fseek(file.get(), static_cast<zip_int64_t>(offset), SEEK_SET) != 0) {
    return broken(member.name, zip_file_strerror(file.get()));
  }
  TS_ASSIGN_OR_RETURN(const std::size_t filled, fill(file.get(), member.name, into));
  if (filled < into.size()) return broken(member.name, "it ends early");
  return absl::OkStatus();
}

}  // namespace tachostat::verify

#include "verify/data/array.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/status.h"
#include "verify/data/temporary.h"

namespace tachostat::verify {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;

absl::Status ends_early(std::uint64_t expected, std::uint64_t found) {
  return base::invalid_argument(
      "its header promises {} bytes of elements, found {}: is it cut short?", expected, found);
}

// A file, or the temporary file that a member was unpacked into.
class FileArray final : public Array {
 public:
  FileArray(NpyHeader header, Descriptor file, std::uint64_t begin)
      : Array(std::move(header)), file_(std::move(file)), begin_(begin) {}

  absl::Status read(std::uint64_t offset, std::span<std::byte> into) const override {
    TS_ASSIGN_OR_RETURN(const std::size_t got, read_from(file_, begin_ + offset, into));
    return got == into.size() ? absl::OkStatus() : ends_early(into.size(), got);
  }

 private:
  Descriptor file_;
  std::uint64_t begin_;
};

class MemberArray final : public Array {
 public:
  MemberArray(NpyHeader header, std::shared_ptr<const ZipFile> archive, ZipFile::Member member)
      : Array(std::move(header)), archive_(std::move(archive)), member_(std::move(member)) {}

  absl::Status read(std::uint64_t offset, std::span<std::byte> into) const override {
    return archive_->read_at(member_, header().data_offset + offset, into);
  }

 private:
  std::shared_ptr<const ZipFile> archive_;
  ZipFile::Member member_;
};

// The header, and the elements that were read along with it.
struct Opening {
  NpyHeader header;
  std::vector<std::byte> elements;
};

absl::StatusOr<Opening> read_opening(ReadBytes read, std::uint64_t file_bytes) {
  std::vector<std::byte> start(kMostNpyHeader);
  TS_ASSIGN_OR_RETURN(const std::size_t got, read(start));
  Opening opening;
  TS_ASSIGN_OR_RETURN(opening.header,
                      parse_npy_header({reinterpret_cast<const char*>(start.data()), got}));
  const std::uint64_t found = file_bytes - std::min(file_bytes, opening.header.data_offset);
  if (found != opening.header.data_bytes) return ends_early(opening.header.data_bytes, found);
  start.resize(got);
  start.erase(start.begin(),
              start.begin() + static_cast<std::ptrdiff_t>(opening.header.data_offset));
  opening.elements = std::move(start);
  return opening;
}

// Hands all elements to the visitor, in pieces of whole elements, and to the end of the file.
absl::Status hand_over(const NpyHeader& header, std::vector<std::byte> pending, ReadBytes read,
                       ArrayVisitor& visitor) {
  if (header.item_bytes == 0) return absl::OkStatus();
  const std::uint64_t piece =
      std::max<std::uint64_t>(kPiece / header.item_bytes, 1) * header.item_bytes;
  std::uint64_t seen = 0;
  while (true) {
    const std::size_t had = pending.size();
    // Grown in steps: an element as long as a header claims may not be there at all.
    pending.resize(std::min<std::uint64_t>(std::max<std::uint64_t>(piece, had), had + kPiece));
    TS_ASSIGN_OR_RETURN(const std::size_t got, read(std::span(pending).subspan(had)));
    const bool ended = had + got < pending.size();
    pending.resize(had + got);
    const std::size_t whole = pending.size() - pending.size() % header.item_bytes;
    TS_RETURN_IF_ERROR(visitor.data(std::span(pending).first(whole)));
    seen += whole;
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(whole));
    if (ended) break;
  }
  seen += pending.size();
  return seen == header.data_bytes ? absl::OkStatus() : ends_early(header.data_bytes, seen);
}

absl::Status read_through(ReadBytes read, std::uint64_t file_bytes, ArrayVisitor& visitor,
                          NpyHeader& header) {
  TS_ASSIGN_OR_RETURN(Opening opening, read_opening(read, file_bytes));
  TS_RETURN_IF_ERROR(visitor.begin(opening.header));
  TS_RETURN_IF_ERROR(hand_over(opening.header, std::move(opening.elements), read, visitor));
  header = std::move(opening.header);
  return absl::OkStatus();
}

absl::Status check_unpacked_size(const ZipFile::Member& member) {
  if (member.stored || member.bytes <= kMostUnpacked) return absl::OkStatus();
  return base::invalid_argument(
      "it unpacks to {} bytes, at most {} are unpacked: save it with np.savez rather than "
      "np.savez_compressed",
      member.bytes, kMostUnpacked);
}

absl::StatusOr<std::unique_ptr<const Array>> unpack_member(const ZipFile& archive,
                                                           const ZipFile::Member& member,
                                                           ArrayVisitor& visitor) {
  TS_RETURN_IF_ERROR(check_unpacked_size(member));
  TS_ASSIGN_OR_RETURN(Descriptor file, temporary_file());
  NpyHeader header;
  const absl::Status unpacked = archive.unpack(member, [&](ReadBytes read) {
    const auto keep = [&](std::span<std::byte> into) -> absl::StatusOr<std::size_t> {
      TS_ASSIGN_OR_RETURN(const std::size_t got, read(into));
      TS_RETURN_IF_ERROR(write_to(file, into.first(got)));
      return got;
    };
    return read_through(keep, member.bytes, visitor, header);
  });
  TS_RETURN_IF_ERROR(unpacked);
  const std::uint64_t begin = header.data_offset;
  return std::make_unique<FileArray>(std::move(header), std::move(file), begin);
}

// Reads a whole .npy file, and leaves it open.
absl::StatusOr<Descriptor> read_npy(const std::string& path, ArrayVisitor& visitor,
                                    NpyHeader& header) {
  TS_ASSIGN_OR_RETURN(Descriptor file, open_to_read(path));
  const off_t bytes = lseek(file.get(), 0, SEEK_END);
  if (bytes < 0) return base::unavailable("cannot read it: {}", std::strerror(errno));
  std::uint64_t position = 0;
  const auto read = [&](std::span<std::byte> into) -> absl::StatusOr<std::size_t> {
    TS_ASSIGN_OR_RETURN(const std::size_t got, read_from(file, position, into));
    position += got;
    return got;
  };
  TS_RETURN_IF_ERROR(read_through(read, static_cast<std::uint64_t>(bytes), visitor, header));
  return file;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Array>> open_npy(const std::string& path,
                                                      ArrayVisitor& visitor) {
  NpyHeader header;
  TS_ASSIGN_OR_RETURN(Descriptor file, read_npy(path, visitor, header));
  const std::uint64_t begin = header.data_offset;
  return std::make_unique<FileArray>(std::move(header), std::move(file), begin);
}

absl::Status visit_npy(const std::string& path, ArrayVisitor& visitor) {
  NpyHeader header;
  return read_npy(path, visitor, header).status();
}

absl::Status visit_member(const ZipFile& archive, const ZipFile::Member& member,
                          ArrayVisitor& visitor) {
  TS_RETURN_IF_ERROR(check_unpacked_size(member));
  NpyHeader header;
  return archive.unpack(
      member, [&](ReadBytes read) { return read_through(read, member.bytes, visitor, header); });
}

absl::StatusOr<std::unique_ptr<const Array>> open_member(std::shared_ptr<const ZipFile> archive,
                                                         const ZipFile::Member& member,
                                                         ArrayVisitor& visitor) {
  if (!member.stored) return unpack_member(*archive, member, visitor);
  NpyHeader header;
  TS_RETURN_IF_ERROR(archive->unpack(
      member, [&](ReadBytes read) { return read_through(read, member.bytes, visitor, header); }));
  return std::make_unique<MemberArray>(std::move(header), std::move(archive), member);
}

}  // namespace tachostat::verify

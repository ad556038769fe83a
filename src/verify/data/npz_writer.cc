#include "verify/data/npz_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/status.h"
#include "base/utf8.h"
#include "verify/data/npy.h"
#include "verify/values.h"

namespace tachostat::verify {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

absl::StatusOr<Descriptor> create_file(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() >= 0) return file;
  return base::unavailable("cannot make '{}': {}", path, std::strerror(errno));
}

model::Shape stacked(const model::Shape& shape, std::size_t samples) {
  model::Shape result = shape;
  if (result.empty() || result.front() != 1) result.insert(result.begin(), 0);
  result.front() = static_cast<std::int64_t>(samples);
  return result;
}

absl::Status copy(const Descriptor& from, std::uint64_t begin, std::uint64_t bytes,
                  const Descriptor& to) {
  std::vector<std::byte> piece(std::min<std::uint64_t>(bytes, std::uint64_t{1} << 20));
  while (bytes > 0) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(bytes, piece.size()));
    TS_ASSIGN_OR_RETURN(const std::size_t got, read_from(from, begin, part));
    if (got < part.size()) return base::internal("a temporary file was cut short");
    TS_RETURN_IF_ERROR(write_to(to, part));
    begin += got;
    bytes -= got;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SampleSpool> SampleSpool::create(std::string name, const std::string& file) {
  TS_ASSIGN_OR_RETURN(Descriptor descriptor, create_file(file));
  return SampleSpool(std::move(name), file, std::move(descriptor));
}

absl::Status SampleSpool::add(const engine::Tensor& tensor) {
  std::span<const std::byte> data = tensor.data;
  std::string_view descr = descr_of(tensor.type);
  std::vector<float> widened;
  if (tensor.type == model::DataType::kBF16) {
    const auto values = values_of(tensor);
    widened.assign(values->begin(), values->end());
    data = std::as_bytes(std::span(widened));
    descr = descr_of(model::DataType::kF32);
  }
  if (descr.empty() || (!records_.empty() && descr != descr_)) {
    return base::invalid_argument("output '{}' of type {} cannot be written as .npz", tensor.name,
                                  model::name_of(tensor.type));
  }
  descr_ = descr;
  const std::string header = npy_header(descr, tensor.shape);
  TS_RETURN_IF_ERROR(write_to(descriptor_, bytes_of(header)));
  TS_RETURN_IF_ERROR(write_to(descriptor_, data));
  records_.push_back({size_, size_ + header.size(), data.size(), tensor.shape});
  size_ += header.size() + data.size();
  return absl::OkStatus();
}

bool SampleSpool::stackable() const {
  return std::all_of(records_.begin(), records_.end(),
                     [&](const Record& record) { return record.shape == records_.front().shape; });
}

absl::Status NpzWriter::add(const SampleSpool& spool) {
  const auto& records = spool.records_;
  if (records.empty()) return absl::OkStatus();
  if (!spool.stackable()) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      members_.push_back({.name = fmt::format("{}/{}", spool.name_, i),
                          .file = spool.file_,
                          .begin = records[i].begin,
                          .bytes = records[i].data - records[i].begin + records[i].bytes});
    }
    return absl::OkStatus();
  }
  const std::string path = spool.file_ + ".stacked";
  TS_ASSIGN_OR_RETURN(const Descriptor file, create_file(path));
  const std::string header =
      npy_header(spool.descr_, stacked(records.front().shape, records.size()));
  TS_RETURN_IF_ERROR(write_to(file, bytes_of(header)));
  for (const auto& record : records) {
    TS_RETURN_IF_ERROR(copy(spool.descriptor_, record.data, record.bytes, file));
  }
  members_.push_back({.name = spool.name_,
                      .file = path,
                      .begin = 0,
                      .bytes = header.size() + records.size() * records.front().bytes});
  return absl::OkStatus();
}

absl::Status NpzWriter::add_numbers(std::string name, const std::vector<std::int64_t>& values) {
  std::string content = npy_header("<i8", {static_cast<std::int64_t>(values.size())});
  content.append(reinterpret_cast<const char*>(values.data()), values.size() * 8);
  members_.push_back({.name = std::move(name), .held = std::move(content)});
  return absl::OkStatus();
}

absl::Status NpzWriter::add_texts(std::string name, const std::vector<std::string>& texts) {
  std::vector<std::vector<std::uint32_t>> codes;
  std::size_t longest = 1;
  for (const std::string& text : texts) {
    longest = std::max(longest, codes.emplace_back(base::code_points(text)).size());
  }
  std::string content =
      npy_header(fmt::format("<U{}", longest), {static_cast<std::int64_t>(texts.size())});
  for (auto& text : codes) {
    text.resize(longest);
    content.append(reinterpret_cast<const char*>(text.data()), longest * 4);
  }
  members_.push_back({.name = std::move(name), .held = std::move(content)});
  return absl::OkStatus();
}

absl::Status NpzWriter::write(const std::string& path) const {
  int code = 0;
  zip* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive == nullptr) return base::unavailable("cannot make '{}': libzip error {}", path, code);
  const auto failed = [&] {
    const std::string reason = zip_strerror(archive);
    zip_discard(archive);
    return absl::ResourceExhaustedError(fmt::format("cannot write '{}': {}", path, reason));
  };
  for (const Member& member : members_) {
    zip_source_t* source =
        member.file.empty() ? zip_source_buffer(archive, member.held.data(), member.held.size(), 0)
                            : zip_source_file(archive, member.file.c_str(), member.begin,
                                              static_cast<zip_int64_t>(member.bytes));
    if (source == nullptr) return failed();
    const std::string name = member.name + ".npy";
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return failed();
    }
    if (zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0) != 0) {
      return failed();
    }
  }
  return zip_close(archive) == 0 ? absl::OkStatus() : failed();
}

}  // namespace tachostat::verify

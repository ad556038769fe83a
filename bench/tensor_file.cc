#include "tensor_file.h"

#include <fstream>
#include <iterator>

#include "base/status.h"

namespace tachostat {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t padding_after(std::size_t bytes) {
  return (kAlignment - bytes % kAlignment) % kAlignment;
}

}  // namespace

struct TensorFile::Stream {
  std::string path;
  std::ofstream file;
};

TensorFile::TensorFile(const std::string& path)
    : stream_(new Stream{path, std::ofstream(path, std::ios::binary | std::ios::trunc)}) {}
TensorFile::~TensorFile() = default;

void TensorFile::add(const std::vector<engine::Tensor>& sample) {
  nlohmann::json row = nlohmann::json::array();
  for (const engine::Tensor& tensor : sample) {
    row.push_back(
        {{"name", tensor.name}, {"type", model::name_of(tensor.type)}, {"shape", tensor.shape}});
    stream_->file.write(reinterpret_cast<const char*>(tensor.data.data()),
                        static_cast<std::streamsize>(tensor.data.size()));
    const std::string padding(padding_after(tensor.data.size()), '\0');
    stream_->file << padding;
  }
  samples_.push_back(std::move(row));
}

absl::StatusOr<nlohmann::json> TensorFile::finish() {
  stream_->file.close();
  if (!stream_->file) return base::unavailable("cannot write '{}'", stream_->path);
  return std::move(samples_);
}

absl::StatusOr<TensorRows> read_tensors(const std::string& path, const nlohmann::json& samples) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto held = std::make_shared<std::vector<char>>(
      static_cast<std::size_t>(std::max<std::streamoff>(0, file.tellg())));
  file.seekg(0);
  file.read(held->data(), static_cast<std::streamsize>(held->size()));
  if (!file) return base::unavailable("cannot read '{}'", path);
  const auto bytes = std::as_bytes(std::span(*held));
  std::size_t at = 0;
  TensorRows rows;
  for (const nlohmann::json& row : samples) {
    std::vector<engine::Tensor>& tensors = rows.emplace_back();
    for (const nlohmann::json& said : row) {
      engine::Tensor tensor{.name = said.at("name"),
                            .type = model::data_type_of(said.at("type").get<std::string>()),
                            .shape = said.at("shape")};
      const std::size_t size = static_cast<std::size_t>(model::elements_of(tensor.shape)) *
                               static_cast<std::size_t>(model::bits_of(tensor.type)) / 8;
      if (model::bits_of(tensor.type) < 8 || at + size > bytes.size()) {
        return base::invalid_argument("'{}' does not hold the tensor {}", path, said.dump());
      }
      tensor.data = bytes.subspan(at, size);
      tensor.owner = held;
      at += size + padding_after(size);
      tensors.push_back(std::move(tensor));
    }
  }
  return rows;
}

}  // namespace tachostat

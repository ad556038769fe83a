#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <fstream>
#include <memory>

#include "base/status.h"

namespace tachostat::base {
namespace {

std::string hex_of(std::span<const unsigned char> digest) {
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  EVP_DigestInit_ex(context_->digest.get(), EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::span<const std::byte> data) {
  EVP_DigestUpdate(context_->digest.get(), data.data(), data.size());
}
void Sha256::add(std::string_view data) { add(std::as_bytes(std::span(data.data(), data.size()))); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest;
  EVP_DigestFinal_ex(context_->digest.get(), digest.data(), nullptr);
  return hex_of(digest);
}

std::string sha256(std::span<const std::byte> data) {
  Sha256 hash;
  hash.add(data);
  return hash.hex();
}

std::string sha256(std::string_view data) {
  return sha256(std::as_bytes(std::span(data.data(), data.size())));
}

absl::StatusOr<std::string> sha256_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return not_found("cannot open '{}' to hash it", path);
  Sha256 hash;
  std::array<char, 1 << 16> chunk;
  while (file.read(chunk.data(), chunk.size()) || file.gcount() > 0) {
    hash.add(std::string_view(chunk.data(), static_cast<std::size_t>(file.gcount())));
  }
  if (file.bad()) return internal("reading '{}' failed half way", path);
  return hash.hex();
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::array<unsigned char, 32> digest;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.data(), nullptr);
  return hex_of(digest);
}

}  // namespace tachostat::base

// Hashes (SHA-256), as lower-case hex.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tachostat::base {

// For data that comes in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void add(std::span<const std::byte> data);
  void add(std::string_view data);
  // Of all that was added. Call once; nothing may be added after it.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256(std::span<const std::byte> data);
std::string sha256(std::string_view data);
absl::StatusOr<std::string> sha256_file(const std::string& path);

// RFC 2104 with SHA-256. A key of any length.
std::string hmac_sha256(std::string_view key, std::string_view data);

}  // namespace tachostat::base

// Hashes (SHA-256), as lower-case hex.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tachostat::base {

std::string sha256(std::span<const std::byte> data);
std::string sha256(std::string_view data);
absl::StatusOr<std::string> sha256_file(const std::string& path);

// RFC 2104 with SHA-256. A key of any length.
std::string hmac_sha256(std::string_view key, std::string_view data);

}  // namespace tachostat::base

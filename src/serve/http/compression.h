// Content codings gzip and deflate (RFC 9110; "deflate" is the zlib format).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::serve {

enum class Coding { kIdentity, kGzip, kDeflate };
std::string_view name_of(Coding coding);

// The coding of a request's body; Unimplemented names those that are known.
absl::StatusOr<Coding> coding_of(std::string_view content_encoding);

// Which coding to answer in. Tensors compress badly and cost milliseconds per megabyte, so an
// answer with tensors is compressed only when the client names exactly one coding, which a person
// chose; a list is what HTTP libraries send by themselves.
Coding choose_coding(std::string_view accept_encoding, bool has_tensors);

// ResourceExhausted when more than `limit` bytes come out; InvalidArgument when it is no such data,
// or cut.
absl::StatusOr<std::string> decompress(std::string_view data, std::size_t limit);
// Joins the parts. Fast rather than small.
absl::StatusOr<std::string> compress(const std::vector<std::span<const std::byte>>& parts,
                                     Coding coding);

}  // namespace tachostat::serve

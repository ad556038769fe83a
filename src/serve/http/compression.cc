#include "serve/http/compression.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/status.h"

namespace tachostat::serve {
namespace {

constexpr int kWindowBits = 15;
constexpr int kDetectFormat = 32;  // added to the window bits, zlib's way of saying it
constexpr int kGzipFormat = 16;
constexpr std::size_t kChunk = 64 << 10;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::optional<Coding> known_coding(std::string_view name) {
  const std::string wanted = lower(trimmed(name));
  if (wanted == "gzip" || wanted == "x-gzip") return Coding::kGzip;
  if (wanted == "deflate") return Coding::kDeflate;
  if (wanted.empty() || wanted == "identity") return Coding::kIdentity;
  return std::nullopt;
}

// "q=0" in any of its spellings: "q=0", "q=0.000".
bool is_refused(std::string_view parameters) {
  const std::string text = lower(trimmed(parameters));
  return text.starts_with("q=0") && text.find_first_not_of("0.", 2) == std::string::npos;
}

}  // namespace

std::string_view name_of(Coding coding) {
  return coding == Coding::kGzip ? "gzip" : coding == Coding::kDeflate ? "deflate" : "identity";
}

absl::StatusOr<Coding> coding_of(std::string_view content_encoding) {
  if (const auto coding = known_coding(content_encoding)) return *coding;
  return absl::UnimplementedError(
      fmt::format("Content-Encoding '{}': expected gzip, deflate or none", content_encoding));
}

Coding choose_coding(std::string_view accept_encoding, bool has_tensors) {
  Coding best = Coding::kIdentity;
  int named = 0;
  while (!accept_encoding.empty()) {
    const std::size_t comma = accept_encoding.find(',');
    const std::string_view item = accept_encoding.substr(0, comma);
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size()
                                                                  : comma + 1);
    const std::size_t semicolon = item.find(';');
    if (semicolon != std::string_view::npos && is_refused(item.substr(semicolon + 1))) continue;
    ++named;
    const Coding coding = known_coding(item.substr(0, semicolon)).value_or(Coding::kIdentity);
    if (best == Coding::kIdentity) best = coding;
  }
  return has_tensors && named != 1 ? Coding::kIdentity : best;
}

absl::StatusOr<std::string> decompress(std::string_view data, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, kWindowBits + kDetectFormat) != Z_OK) {
    return absl::ResourceExhaustedError("no memory to decompress the body");
  }
  std::string out;
  int result = Z_OK;
  // zlib counts in 32 bits: larger inputs go in by pieces.
  while (result == Z_OK) {
    if (stream.avail_in == 0 && !data.empty()) {
      const std::size_t piece = std::min<std::size_t>(data.size(), 1u << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
      stream.avail_in = static_cast<uInt>(piece);
      data.remove_prefix(piece);
    }
    const std::size_t at = out.size();
    if (at > limit) break;
    out.resize(at + kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + at);
    stream.avail_out = kChunk;
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(at + kChunk - stream.avail_out);
  }
  const bool leftover = stream.avail_in > 0 || !data.empty();
  inflateEnd(&stream);
  if (out.size() > limit) {
    return absl::ResourceExhaustedError(
        fmt::format("the body is larger than {} bytes when decompressed", limit));
  }
  if (result != Z_STREAM_END || leftover) {
    return base::invalid_argument("the body is not whole gzip or zlib data");
  }
  return out;
}

absl::StatusOr<std::string> compress(const std::vector<std::span<const std::byte>>& parts,
                                     Coding coding) {
  z_stream stream{};
  const int bits = kWindowBits + (coding == Coding::kGzip ? kGzipFormat : 0);
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return base::internal("no memory to compress the answer");
  }
  std::string out;
  const auto run = [&](int flush) {
    int result = Z_OK;
    do {
      const std::size_t at = out.size();
      out.resize(at + kChunk);
      stream.next_out = reinterpret_cast<Bytef*>(out.data() + at);
      stream.avail_out = kChunk;
      result = deflate(&stream, flush);
      out.resize(at + kChunk - stream.avail_out);
    } while (result == Z_OK && (stream.avail_out == 0 || flush == Z_FINISH));
  };
  for (std::span<const std::byte> part : parts) {
    while (!part.empty()) {
      const std::size_t piece = std::min<std::size_t>(part.size(), 1u << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(part.data()));
      stream.avail_in = static_cast<uInt>(piece);
      part = part.subspan(piece);
      run(Z_NO_FLUSH);
    }
  }
  run(Z_FINISH);
  deflateEnd(&stream);
  return out;
}

}  // namespace tachostat::serve

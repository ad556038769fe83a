#include "verify/metrics/alphabet.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "base/status.h"
#include "base/utf8.h"
#include "model/metadata.h"

namespace tachostat::verify {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{16} << 20;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

absl::StatusOr<std::string> read_file(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return base::not_found("alphabet '{}': {}", path, error.message());
  if (bytes > kMostBytes) {
    return base::invalid_argument("alphabet '{}' has {} bytes, expected at most {}", path, bytes,
                                  kMostBytes);
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream) return base::unavailable("cannot read alphabet '{}'", path);
  return text;
}

// Only when they can be matched without a doubt about their number.
absl::StatusOr<Symbols> from_labels(const Dataset& data, std::int64_t classes) {
  std::set<std::uint32_t> found;
  for (const std::string& text : data.labels().texts) {
    for (const std::uint32_t code : base::code_points(text)) found.insert(code);
  }
  if (static_cast<std::int64_t>(found.size()) + 1 != classes) {
    return base::invalid_argument(
        "the model does not say which character each class is, and the labels use {} characters "
        "while it has {} classes: give text:FILE with one character per line",
        found.size(), classes);
  }
  Symbols symbols(1);
  for (const std::uint32_t code : found) symbols.push_back({code});
  return symbols;
}

}  // namespace

absl::StatusOr<Symbols> alphabet_of_lines(std::string_view text, std::int64_t classes) {
  const std::vector<std::string_view> lines = lines_of(text);
  const auto count = static_cast<std::int64_t>(lines.size());
  if (classes > 0 && (classes < count || classes > count + 2)) {
    return base::invalid_argument(
        "the alphabet has {} characters, the model {} classes: expected one class more (the blank, "
        "class 0), or two (and a space, the last)",
        count, classes);
  }
  Symbols symbols;
  if (count != classes) symbols.emplace_back();
  for (const std::string_view line : lines) symbols.push_back(base::code_points(line));
  if (count == classes) symbols.front().clear();
  if (classes == count + 2) symbols.push_back({' '});
  return symbols;
}

absl::StatusOr<Symbols> find_alphabet(const std::string& file, const Dataset& data,
                                      const model::Graph& graph, std::int64_t classes) {
  if (!file.empty()) {
    TS_ASSIGN_OR_RETURN(const std::string text, read_file(file));
    auto symbols = alphabet_of_lines(text, classes);
    if (!symbols.ok()) return base::with_context(symbols.status(), file);
    return symbols;
  }
  const absl::StatusOr<std::string> own =
      graph.path.empty() ? absl::StatusOr<std::string>(base::not_found("no file"))
                         : model::read_metadata(graph.path, "character");
  if (own.ok()) return alphabet_of_lines(*own, classes);
  if (absl::IsNotFound(own.status())) return from_labels(data, classes);
  return own.status();
}

}  // namespace tachostat::verify

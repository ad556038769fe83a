#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/status.h"
#include "base/utf8.h"
#include "verify/data/labels.h"

namespace tachostat::verify {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A field of a comma-separated file may stand in quotes, with quotes inside doubled.
std::string unquoted(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string(field);
  std::string text;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    text += field[i];
    if (field[i] == '"' && field[i + 1] == '"' && i + 2 < field.size()) ++i;
  }
  return text;
}

// Only as numbers are printed: "007" is text.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

std::string_view stem_of(std::string_view file) { return file.substr(0, file.rfind('.')); }

std::map<std::string, std::size_t> places_of(const std::vector<std::string>& files) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < files.size(); ++i) places.emplace(stem_of(files[i]), i);
  for (std::size_t i = 0; i < files.size(); ++i) places[files[i]] = i;
  return places;
}

absl::StatusOr<std::vector<std::string>> by_name(const std::vector<std::string_view>& lines,
                                                 const std::vector<std::string>& files,
                                                 const std::map<std::string, std::size_t>& places) {
  std::vector<std::optional<std::string>> labels(files.size());
  for (const std::string_view line : lines) {
    const std::size_t comma = std::min(line.find(','), line.size());
    const std::string file = unquoted(line.substr(0, comma));
    const auto place = places.find(file);
    if (place == places.end()) {
      if (line == lines.front()) continue;  // names of the columns
      return base::invalid_argument("line '{}' names no sample of the folder", line);
    }
    std::optional<std::string>& label = labels[place->second];
    if (label) return base::invalid_argument("'{}' has two labels", file);
    label = unquoted(line.substr(std::min(comma + 1, line.size())));
  }
  std::vector<std::string> found;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!labels[i]) return base::invalid_argument("'{}' has no label", files[i]);
    found.push_back(*std::move(labels[i]));
  }
  return found;
}

absl::StatusOr<std::vector<std::string>> label_texts(std::string_view text,
                                                     const std::vector<std::string>& files) {
  const std::vector<std::string_view> lines = lines_of(text);
  const auto places = places_of(files);
  const auto names_a_sample = [&](std::string_view line) {
    const std::size_t comma = line.find(',');
    return comma != std::string_view::npos && places.contains(unquoted(line.substr(0, comma)));
  };
  if (std::any_of(lines.begin(), lines.end(), names_a_sample)) {
    return by_name(lines, files, places);
  }
  if (lines.size() != files.size()) {
    return base::invalid_argument(
        "expected {} lines, one per sample (or lines 'file,label'), found {}", files.size(),
        lines.size());
  }
  std::vector<std::string> found;
  for (const std::string_view line : lines) found.push_back(unquoted(line));
  return found;
}

}  // namespace

absl::StatusOr<Labels> parse_label_lines(std::string_view text,
                                         const std::vector<std::string>& files) {
  TS_ASSIGN_OR_RETURN(std::vector<std::string> found, label_texts(text, files));
  Labels labels{.kind = LabelKind::kClass};
  for (const std::string& label : found) {
    const std::optional<std::int64_t> value = whole_number(label);
    if (!value) {
      labels.kind = LabelKind::kText;
      labels.classes.clear();
      break;
    }
    labels.classes.push_back(*value);
  }
  if (labels.kind == LabelKind::kText) {
    for (const std::string& label : found) labels.texts.push_back(base::to_utf8(label));
  }
  return labels;
}

}  // namespace tachostat::verify

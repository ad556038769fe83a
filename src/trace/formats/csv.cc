#include "trace/formats/csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/status.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kBlock = 16 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

int CsvReader::peek() {
  if (at_ == block_.size()) {
    if (at_end_) return kEnd;
    block_.resize(kBlock);
    const auto got = input_.read(block_.data(), block_.size());
    if (!got.ok()) status_ = got.status();
    block_.resize(got.ok() ? *got : 0);
    at_ = 0;
    if (!started_) {
      started_ = true;
      if (std::string_view(block_).substr(0, kByteOrderMark.size()) == kByteOrderMark) {
        at_ = kByteOrderMark.size();
      }
    }
    if (block_.empty()) at_end_ = true;
    if (at_ == block_.size()) return peek();
  }
  return static_cast<unsigned char>(block_[at_]);
}

int CsvReader::get() {
  const int byte = peek();
  if (byte == kEnd) return kEnd;
  ++at_;
  ++row_bytes_;
  if (byte == '\n') ++line_;
  return byte;
}

absl::Status CsvReader::check(const std::string& field, std::size_t fields) {
  if (!status_.ok()) return status_;
  if (field.size() > kMostFieldBytes || row_bytes_ > kMostRowBytes || fields > kMostFields) {
    return base::invalid_argument(
        "{}: line {}: a row of more than {} fields or {} bytes; expected a table with '{}' between "
        "its fields",
        input_.name(), row_line_, std::min(fields, kMostFields),
        std::min(row_bytes_, kMostRowBytes),
        delimiter_ == '\t' ? std::string("tab") : std::string(1, delimiter_));
  }
  return absl::OkStatus();
}

absl::Status CsvReader::read_quoted(std::string& field, std::size_t fields) {
  for (;;) {
    const int byte = get();
    if (byte == kEnd) {
      TS_RETURN_IF_ERROR(status_);
      return base::invalid_argument("{}: line {}: the quote that opens here is never closed",
                                    input_.name(), row_line_);
    }
    if (byte == '"') {
      if (peek() != '"') return absl::OkStatus();
      get();
    }
    if (byte == 0) {
      return base::invalid_argument("{}: line {}: a NUL byte; expected text in UTF-8",
                                    input_.name(), line_);
    }
    field.push_back(static_cast<char>(byte));
    TS_RETURN_IF_ERROR(check(field, fields));
  }
}

// Returns what ended the field: the delimiter, '\n' or kEnd.
absl::StatusOr<int> CsvReader::read_field(std::string& field, std::size_t fields) {
  bool quoted = false;
  for (;;) {
    const int byte = get();
    if (byte == kEnd || byte == '\n' || byte == static_cast<unsigned char>(delimiter_)) {
      TS_RETURN_IF_ERROR(status_);
      if (!quoted && byte != delimiter_ && !field.empty() && field.back() == '\r') field.pop_back();
      return byte;
    }
    if (byte == 0) {
      return base::invalid_argument("{}: line {}: a NUL byte; expected text in UTF-8",
                                    input_.name(), line_);
    }
    if (byte == '"' && !quoted && trimmed(field).empty()) {
      field.clear();
      quoted = true;
      TS_RETURN_IF_ERROR(read_quoted(field, fields));
    } else if (!(quoted && byte == '\r')) {
      field.push_back(static_cast<char>(byte));
    }
    TS_RETURN_IF_ERROR(check(field, fields));
  }
}

absl::StatusOr<bool> CsvReader::next(std::vector<std::string>& row) {
  row.clear();
  row_line_ = line_;
  row_bytes_ = 0;
  if (peek() == kEnd) {
    TS_RETURN_IF_ERROR(status_);
    return false;
  }
  for (;;) {
    std::string field;
    TS_ASSIGN_OR_RETURN(const int ended_by, read_field(field, row.size() + 1));
    const bool last = ended_by != static_cast<unsigned char>(delimiter_);
    if (last && row.empty() && trimmed(field).empty()) return true;
    row.push_back(std::move(field));
    TS_RETURN_IF_ERROR(check(row.back(), row.size()));
    if (last) return true;
  }
}

char delimiter_of(std::string_view line) {
  constexpr std::string_view kCandidates = ",;\t";
  std::array<std::size_t, kCandidates.size()> counts{};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const std::size_t candidate = kCandidates.find(c);
    if (!quoted && candidate != std::string_view::npos) ++counts[candidate];
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return kCandidates[static_cast<std::size_t>(most - counts.begin())];
}

CsvColumns::CsvColumns(std::vector<std::string> header) : names_(std::move(header)) {
  for (std::string& name : names_) name = std::string(trimmed(name));
}

std::optional<std::size_t> CsvColumns::find(std::span<const std::string_view> names) const {
  for (const std::string_view name : names) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (same_ignoring_case(names_[i], name)) return i;
    }
  }
  return std::nullopt;
}

std::string_view field_at(const std::vector<std::string>& row, std::optional<std::size_t> column) {
  return column && *column < row.size() ? trimmed(row[*column]) : std::string_view();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

namespace {

// "1,234,567.8" without its commas; nothing when they do not part groups of three.
std::optional<std::string> without_thousands(std::string_view text) {
  std::string plain;
  const std::size_t whole_end = std::min(text.find_first_of(".eE"), text.size());
  std::size_t since = 0;
  bool grouped = false;
  for (std::size_t i = 0; i < whole_end; ++i) {
    if (text[i] == ',') {
      if (since == 0 || since > 3 || (grouped && since != 3)) return std::nullopt;
      grouped = true;
      since = 0;
      continue;
    }
    if (is_digit(text[i])) ++since;
    plain.push_back(text[i]);
  }
  if (grouped && since != 3) return std::nullopt;
  plain.append(text.substr(whole_end));
  return plain;
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && text.back() == '%') text = trimmed(text.substr(0, text.size() - 1));
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 64) return std::nullopt;
  const auto plain = without_thousands(text);
  if (!plain) return std::nullopt;
  double number = 0;
  const char* last = plain->data() + plain->size();
  const auto [end, error] = std::from_chars(plain->data(), last, number);
  if (error != std::errc() || end != last || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<double> duration_ns_of(std::string_view text, double unit_ns) {
  struct Unit {
    std::string_view suffix;
    double ns;
  };
  // Longer suffixes first: "ms" ends in "s".
  constexpr std::array kUnits = {Unit{"ms", 1e6}, Unit{"us", 1e3},   Unit{"µs", 1e3},
                                 Unit{"ns", 1},   Unit{"min", 6e10}, Unit{"s", 1e9}};
  text = trimmed(text);
  for (const Unit& unit : kUnits) {
    if (text.size() > unit.suffix.size() &&
        same_ignoring_case(text.substr(text.size() - unit.suffix.size()), unit.suffix)) {
      text.remove_suffix(unit.suffix.size());
      unit_ns = unit.ns;
      break;
    }
  }
  const auto number = number_of(text);
  if (!number || !std::isfinite(*number * unit_ns)) return std::nullopt;
  return *number * unit_ns;
}

}  // namespace tachostat::trace

// Tables as text, one way for every tool that writes them: RFC 4180, and what tools really write.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/status.h"
#include "trace/import.h"

namespace tachostat::trace {

// The rows of a table, front to back, without keeping more than one. Fields may be quoted ("" is a
// quote inside); lines end in LF or CRLF; blank lines are rows without fields. Lenient where tools
// are: text after a closing quote stays in the field ("\"CPU_TIME\" (seconds)"), a quote inside an
// unquoted field is itself, blanks before an opening quote are dropped. A byte order mark at the
// start is skipped. Thread-compatible.
class CsvReader {
 public:
  // A field or a row beyond these is refused, so memory stays bounded whatever the file holds.
  static constexpr std::size_t kMostFieldBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMostFields = 4096;
  static constexpr std::size_t kMostRowBytes = std::size_t{4} << 20;

  // `input` must outlive the reader.
  CsvReader(Input& input, char delimiter) : input_(input), delimiter_(delimiter) {}

  // False at the end. InvalidArgument names the file and the line: an unclosed quote, a NUL byte,
  // a row beyond the bounds.
  absl::StatusOr<bool> next(std::vector<std::string>& row);
  // Calls take(row), which gives a Status, for all that are left.
  template <class Take>
  absl::Status each(Take take) {
    std::vector<std::string> row;
    for (;;) {
      TS_ASSIGN_OR_RETURN(const bool more, next(row));
      if (!more) return absl::OkStatus();
      TS_RETURN_IF_ERROR(take(row));
    }
  }
  // Where the row that next() gave begins, from 1.
  std::size_t line() const { return row_line_; }

 private:
  static constexpr int kEnd = -1;
  int peek();  // the next byte, kEnd at the end and after an error (status_)
  int get();
  // What is wrong with the row so far.
  absl::Status check(const std::string& field, std::size_t fields);
  absl::StatusOr<int> read_field(std::string& field, std::size_t fields);
  absl::Status read_quoted(std::string& field, std::size_t fields);

  Input& input_;
  char delimiter_;
  std::string block_;
  std::size_t at_ = 0;
  bool at_end_ = false;
  absl::Status status_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
  std::size_t row_bytes_ = 0;
  bool started_ = false;
};

// Which of , ; and tab separates the fields of `line`: the one outside quotes most often; ',' when
// none does.
char delimiter_of(std::string_view line);

// A header's columns by name. Names are compared without their case and surrounding blanks.
class CsvColumns {
 public:
  explicit CsvColumns(std::vector<std::string> header);
  // The first column with one of these names.
  std::optional<std::size_t> find(std::span<const std::string_view> names) const;
  std::optional<std::size_t> find(std::initializer_list<std::string_view> names) const {
    return find(std::span<const std::string_view>(names.begin(), names.size()));
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

// The field, or "" where the row is too short or there is no such column.
std::string_view field_at(const std::vector<std::string>& row, std::optional<std::size_t> column);
std::string_view trimmed(std::string_view text);
bool same_ignoring_case(std::string_view a, std::string_view b);

// A finite number with nothing but blanks around it; thousands separators "1,234,567" are allowed
// in groups of three. A '%' at the end is dropped.
std::optional<double> number_of(std::string_view text);
// "1.5s", "12.3ms", "4us", "7ns", "2min", or a bare number in `unit_ns`: nanoseconds.
std::optional<double> duration_ns_of(std::string_view text, double unit_ns);

}  // namespace tachostat::trace

// Intel VTune's tables: vtune -report hotspots -format csv, grouped by function, by call stack
// (-report top-down), by task or by GPU computing task, with any of comma, semicolon and tab. The
// columns depend on the analysis: "Function", "CPU Time" or "CPU Time:Self" in seconds, "Module",
// metrics. After Intel's VTune Profiler User Guide, "Hotspots Report" and "Save and Format Command
// Line Reports".
#include <array>
#include <optional>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/hotspots.h"

namespace tachostat::trace {
namespace {

constexpr double kSecondsToNs = 1e9;
// Lines that vtune prints before the table when its output is redirected.
constexpr int kMostLinesBefore = 64;

// What a table can be grouped by.
constexpr std::array<std::string_view, 6> kGroups = {
    "Function",        "Function Stack", "Function / Call Stack",
    "Source Function", "Task Type",      "Computing Task"};

std::optional<std::size_t> time_column(const CsvColumns& columns) {
  return columns.find(
      {"Computing Task:Total Time", "Task Time", "Task Time:Self", "CPU Time:Self", "CPU Time"});
}

bool is_header(const std::vector<std::string>& row) {
  const CsvColumns columns{row};
  return columns.find(kGroups) &&
         (time_column(columns) || columns.find({"Module", "CPU Time:Total", "Source File",
                                                "Clockticks", "Instructions Retired"}));
}

// Calls use(line) for the first lines of the file until it says true.
template <class Use>
bool any_line(std::string_view start, Use use) {
  for (int n = 0; n < kMostLinesBefore && !start.empty(); ++n) {
    const std::size_t end = std::min(start.find('\n'), start.size());
    if (use(trimmed(start.substr(0, end)))) return true;
    start.remove_prefix(std::min(end + 1, start.size()));
  }
  return false;
}

bool is_header_line(std::string_view line) {
  auto input = Input::of(std::string(line));
  std::vector<std::string> row;
  if (!input.ok()) return false;
  CsvReader csv(*input, delimiter_of(line));
  const auto more = csv.next(row);
  return more.ok() && *more && is_header(row);
}

bool recognises(std::string_view start, std::string_view) {
  return any_line(start, is_header_line);
}

class TableReader {
 public:
  TableReader(Input& input, char delimiter) : input_(input), csv_(input, delimiter) {}

  absl::StatusOr<Import> read() {
    TS_RETURN_IF_ERROR(find_header());
    TS_RETURN_IF_ERROR(
        csv_.each([this](const auto& row) { return row.empty() ? absl::OkStatus() : add(row); }));
    Import import{.tool = "vtune"};
    hotspots_.move_to(import);
    if (!time_) {
      import.notes.push_back("no column \"CPU Time\": add -column=\"CPU Time:Self\" to the report");
    }
    return import;
  }

 private:
  absl::Status find_header() {
    std::vector<std::string> row;
    for (int n = 0; n < kMostLinesBefore; ++n) {
      TS_ASSIGN_OR_RETURN(const bool more, csv_.next(row));
      if (!more) break;
      if (!is_header(row)) continue;
      columns_.emplace(row);
      function_ = columns_->find(kGroups);
      time_ = time_column(*columns_);
      module_ = columns_->find({"Module"});
      count_ = columns_->find({"Computing Task:Instance Count", "Task Count", "Task Count:Self"});
      for (std::size_t i = 0; i < columns_->names().size(); ++i) {
        const std::string& name = columns_->names()[i];
        const bool inclusive = name.size() > 6 && name.substr(name.size() - 6) == ":Total";
        if (inclusive || name == "Source Line" || name == "Start Address") taken_.push_back(i);
      }
      for (const auto& column : {function_, time_, module_, count_}) {
        if (column) taken_.push_back(*column);
      }
      return absl::OkStatus();
    }
    return base::invalid_argument(
        "{}: no header with \"Function\" and \"CPU Time\"; expected vtune -report hotspots -format "
        "csv -csv-delimiter comma",
        input_.name());
  }

  absl::Status add(const std::vector<std::string>& row) {
    Hotspot spot;
    spot.function = field_at(row, function_);
    spot.module = field_at(row, module_);
    // The root of a call tree, and lines of vtune's own after the table.
    if (spot.function.empty() || (spot.function == "Total" && spot.module.empty())) {
      return absl::OkStatus();
    }
    if (row.size() == 1) return absl::OkStatus();
    if (const std::string_view text = field_at(row, time_); !text.empty()) {
      const auto ns = duration_ns_of(text, kSecondsToNs);
      if (!ns || *ns < 0) return wrong(*time_, text, "seconds");
      spot.total_ns = *ns;
    } else if (time_ && row.size() <= *time_) {
      return base::invalid_argument("{}: line {}: {} fields, the header has {}", input_.name(),
                                    csv_.line(), row.size(), columns_->names().size());
    }
    if (const std::string_view text = field_at(row, count_); !text.empty()) {
      const auto count = number_of(text);
      if (!count || *count < 0 || *count > 1e12) return wrong(*count_, text, "a count");
      spot.count = static_cast<std::uint64_t>(*count);
    }
    spot.metrics = other_numbers(*columns_, row, taken_);
    const absl::Status added = hotspots_.add(spot);
    return added.ok() ? added : base::with_context(added, input_.name());
  }

  absl::Status wrong(std::size_t column, std::string_view found, std::string_view expected) const {
    return base::invalid_argument("{}: line {}: \"{}\" is \"{}\", expected {}", input_.name(),
                                  csv_.line(), columns_->names()[column], found, expected);
  }

  Input& input_;
  CsvReader csv_;
  std::optional<CsvColumns> columns_;
  std::optional<std::size_t> function_, time_, module_, count_;
  std::vector<std::size_t> taken_;
  Hotspots hotspots_;
};

absl::StatusOr<Import> read(Input& input) {
  char delimiter = ',';
  any_line(input.start(), [&delimiter](std::string_view line) {
    if (!is_header_line(line)) return false;
    delimiter = delimiter_of(line);
    return true;
  });
  return TableReader(input, delimiter).read();
}

}  // namespace

extern const Importer kVtune;
const Importer kVtune = {"vtune", "Intel VTune: vtune -report hotspots -format csv", recognises,
                         read};

}  // namespace tachostat::trace

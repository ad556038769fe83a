// Arm Streamline's tables: Streamline-cli -report with -functions or -callpath (a function per row:
// "Self" samples, "% Self", "Function Name", "Location", "Image") and -timeline (counters over
// time), -format csv. Columns as the views of the Arm Streamline User Guide (101816) name them.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/hotspots.h"

namespace tachostat::trace {
namespace {

// Streamline's sample rate "Normal".
constexpr double kSampleNs = 1e6;
constexpr double kSecondsToNs = 1e9;
constexpr int kMostLinesBefore = 64;
constexpr std::size_t kMostPoints = 20'000'000;

constexpr std::array<std::string_view, 4> kFunctionColumns = {"Function Name", "Function",
                                                              "Process/Thread/Code", "Functions"};
constexpr std::array<std::string_view, 4> kSelf = {"Self", "Self (samples)", "Self Samples",
                                                   "Samples"};
constexpr std::array<std::string_view, 4> kShare = {"% Self", "%Self", "Self (%)", "Self %"};
constexpr std::array<std::string_view, 6> kTimes = {"Time",      "Time (s)",  "Time (ms)",
                                                    "Time (us)", "Time (ns)", "Timestamp"};

enum class Table { kNone, kFunctions, kTimeline };

Table kind_of(const std::vector<std::string>& header) {
  const CsvColumns columns{header};
  if (columns.find(kFunctionColumns) && (columns.find(kSelf) || columns.find(kShare))) {
    return Table::kFunctions;
  }
  // Time leads, or follows an index.
  const auto time = columns.find(kTimes);
  if (time && header.size() > *time + 1 &&
      (*time == 0 || (*time == 1 && columns.find({"Index", "Bin"}) == std::size_t{0}))) {
    return Table::kTimeline;
  }
  return Table::kNone;
}

Table kind_of_line(std::string_view line) {
  auto input = Input::of(std::string(line));
  std::vector<std::string> row;
  if (!input.ok()) return Table::kNone;
  CsvReader csv(*input, delimiter_of(line));
  const auto more = csv.next(row);
  return more.ok() && *more ? kind_of(row) : Table::kNone;
}

// The first line that looks like a header; empty when none of the first lines does.
std::string_view header_in(std::string_view start) {
  for (int n = 0; n < kMostLinesBefore && !start.empty(); ++n) {
    const std::size_t end = std::min(start.find('\n'), start.size());
    const std::string_view line = trimmed(start.substr(0, end));
    if (kind_of_line(line) != Table::kNone) return line;
    start.remove_prefix(std::min(end + 1, start.size()));
  }
  return {};
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (same_ignoring_case(text.substr(i, part.size()), part)) return true;
  }
  return false;
}

bool recognises(std::string_view start, std::string_view file_name) {
  const std::string_view header = header_in(start);
  const Table kind = header.empty() ? Table::kNone : kind_of_line(header);
  if (kind == Table::kFunctions) return true;
  // A column of time is nobody's alone.
  return kind == Table::kTimeline && (contains_ignoring_case(file_name, "streamline") ||
                                      contains_ignoring_case(start, "streamline") ||
                                      same_ignoring_case(header.substr(0, 5), "Index"));
}

double unit_in(std::string_view name) {
  if (name.find("(ms)") != name.npos) return 1e6;
  if (name.find("(us)") != name.npos) return 1e3;
  if (name.find("(ns)") != name.npos) return 1;
  return kSecondsToNs;
}

// "CPU Activity:User (%)": what stands in the brackets at the end.
std::string unit_of_counter(std::string_view name) {
  const std::size_t open = name.rfind('(');
  if (open == name.npos || name.back() != ')') return "1";
  return std::string(name.substr(open + 1, name.size() - open - 2));
}

class ReportReader {
 public:
  ReportReader(Input& input, char delimiter) : input_(input), csv_(input, delimiter) {}

  absl::StatusOr<Import> read() {
    TS_RETURN_IF_ERROR(csv_.each([this](const auto& row) { return add(row); }));
    if (tables_ == 0) {
      return base::invalid_argument(
          "{}: no header with \"Function Name\" and \"Self\", or \"Time\" and counters; expected "
          "Streamline-cli -report -functions or -timeline with -format csv",
          input_.name());
    }
    import_.tool = "streamline";
    if (!hotspots_.empty()) {
      hotspots_.move_to(import_);
      if (assumed_rate_) {
        import_.notes.push_back("samples taken for 1 ms each, Streamline's normal sample rate");
      }
    }
    std::erase_if(import_.trace.counters, [](const CounterTrack& c) { return c.points.empty(); });
    return std::move(import_);
  }

 private:
  absl::Status add(const std::vector<std::string>& row) {
    if (row.empty()) {
      kind_ = Table::kNone;
      return absl::OkStatus();
    }
    if (const Table kind = kind_of(row); kind != Table::kNone) return begin(kind, row);
    if (kind_ == Table::kFunctions) return add_function(row);
    if (kind_ == Table::kTimeline) return add_point(row);
    return absl::OkStatus();
  }

  absl::Status begin(Table kind, const std::vector<std::string>& header) {
    kind_ = kind;
    ++tables_;
    columns_.emplace(header);
    time_ = columns_->find(kTimes);
    function_ = columns_->find(kFunctionColumns);
    module_ = columns_->find({"Image", "Module", "Library"});
    self_ = columns_->find(kSelf);
    share_ = columns_->find(kShare);
    if (kind == Table::kFunctions) return absl::OkStatus();
    if (!import_.trace.counters.empty()) {
      return base::invalid_argument("{}: line {}: a second table over time", input_.name(),
                                    csv_.line());
    }
    for (const std::string& name : columns_->names()) {
      import_.trace.counters.push_back({.name = name, .unit = unit_of_counter(name)});
    }
    return absl::OkStatus();
  }

  absl::Status add_function(const std::vector<std::string>& row) {
    Hotspot spot;
    spot.function = field_at(row, function_);
    spot.module = field_at(row, module_);
    if (spot.function.empty()) {
      return base::invalid_argument("{}: line {}: no function's name", input_.name(), csv_.line());
    }
    const std::string_view self = field_at(row, self_);
    if (!self.empty()) {
      // A time with its unit, or a number of samples.
      const auto samples = number_of(self);
      const auto ns = duration_ns_of(self, kSampleNs);
      if (!ns || *ns < 0) return wrong(*self_, self, "samples, or a time with its unit");
      spot.total_ns = *ns;
      if (samples) {
        assumed_rate_ = true;
        spot.metrics["samples"] = *samples;
      }
    } else if (self_) {
      return wrong(*self_, self, "samples, or a time with its unit");
    }
    if (const auto share = number_of(field_at(row, share_))) spot.metrics["% Self"] = *share;
    const absl::Status added = hotspots_.add(spot);
    return added.ok() ? added : base::with_context(added, input_.name());
  }

  absl::Status add_point(const std::vector<std::string>& row) {
    const auto ns = duration_ns_of(field_at(row, time_), unit_in(columns_->names()[*time_]));
    if (!ns || *ns < 0 || *ns > 9e18) return wrong(*time_, field_at(row, time_), "a time");
    const auto at = static_cast<std::uint64_t>(std::llround(*ns));
    if (at < last_ns_) return wrong(*time_, field_at(row, time_), "times that ascend");
    last_ns_ = at;
    for (std::size_t i = *time_ + 1; i < std::min(row.size(), columns_->names().size()); ++i) {
      const std::string_view text = field_at(row, i);
      if (text.empty()) continue;
      const auto value = number_of(text);
      if (!value) return wrong(i, text, "a number");
      import_.trace.counters[i].points.emplace_back(at, *value);
      ++points_;
    }
    if (points_ <= kMostPoints) return absl::OkStatus();
    return absl::ResourceExhaustedError(fmt::format(
        "{}: more than {} values; export a shorter stretch", input_.name(), kMostPoints));
  }

  absl::Status wrong(std::size_t column, std::string_view found, std::string_view expected) const {
    return base::invalid_argument("{}: line {}: \"{}\" is \"{}\", expected {}", input_.name(),
                                  csv_.line(), columns_->names()[column], found, expected);
  }

  Input& input_;
  CsvReader csv_;
  Import import_;
  Table kind_ = Table::kNone;
  std::size_t tables_ = 0;
  std::optional<CsvColumns> columns_;
  std::optional<std::size_t> function_, module_, self_, share_, time_;
  Hotspots hotspots_;
  bool assumed_rate_ = false;
  std::uint64_t last_ns_ = 0;
  std::size_t points_ = 0;
};

absl::StatusOr<Import> read(Input& input) {
  const std::string_view header = header_in(input.start());
  return ReportReader(input, header.empty() ? ',' : delimiter_of(header)).read();
}

}  // namespace

extern const Importer kStreamline;
const Importer kStreamline = {"streamline",
                              "Arm Streamline: Streamline-cli -report -functions or -timeline, csv",
                              recognises, read};

}  // namespace tachostat::trace

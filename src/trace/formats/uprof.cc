// AMD uProf's report: AMDuProfCLI report -i DIR (-f csv). Sections, each a title on its own line
// and a table: "10 HOTTEST FUNCTIONS (Sort Event - CPU_TIME)" with FUNCTION, an event per column
// and Module; with --detail also "FUNCTION SUMMARY" per process, which is whole. Titles and tables
// after AMD's uProf User Guide (57368), "Profile Report" and "Output".
#include <optional>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/hotspots.h"

namespace tachostat::trace {
namespace {

constexpr double kSecondsToNs = 1e9;

bool recognises(std::string_view start, std::string_view) {
  return start.find("AMD uProf") != start.npos || start.find("HOTTEST FUNCTIONS") != start.npos ||
         (start.find("PROFILE DETAILS") != start.npos &&
          start.find("MONITORED EVENTS") != start.npos);
}

class ReportReader {
 public:
  explicit ReportReader(Input& input) : input_(input), csv_(input, ',') {}

  absl::StatusOr<Import> read() {
    TS_RETURN_IF_ERROR(csv_.each([this](const auto& row) { return add(row); }));
    if (tables_ == 0) {
      return base::invalid_argument(
          "{}: no table of functions; expected the report.csv of AMDuProfCLI report",
          input_.name());
    }
    import_.tool = version_.empty() ? "uprof" : "uprof " + version_;
    // Whole tables win over the hottest ten.
    (summaries_.empty() ? hottest_ : summaries_).move_to(import_);
    if (summaries_.empty()) {
      import_.notes.push_back(
          "the hottest functions only; AMDuProfCLI report --detail --cutoff 0 writes all");
    }
    return std::move(import_);
  }

 private:
  absl::Status add(const std::vector<std::string>& row) {
    if (row.empty()) {
      target_ = nullptr;
      columns_.reset();
      return absl::OkStatus();
    }
    const std::string_view first = trimmed(row[0]);
    if (is_title(row, first)) return absl::OkStatus();
    if (target_ != nullptr && !columns_) {
      begin_table(row);
    } else if (columns_) {
      return add_function(row);
    } else if (same_ignoring_case(first, "Target Path:") ||
               same_ignoring_case(first, "Target Path")) {
      set_model(row);
    }
    return absl::OkStatus();
  }

  bool is_title(const std::vector<std::string>& row, std::string_view first) {
    if (constexpr std::string_view kTool = "AMD uProf (Version:"; first.find(kTool) == 0) {
      const std::string_view rest = first.substr(kTool.size());
      version_ = trimmed(rest.substr(0, rest.find(')')));
      return true;
    }
    for (std::size_t i = 1; i < row.size(); ++i) {
      if (!trimmed(row[i]).empty()) return false;
    }
    const bool hottest = first.find("HOTTEST FUNCTIONS") != first.npos ||
                         first.find("HOT FUNCTIONS (") != first.npos;
    const bool summary = first == "FUNCTION SUMMARY";
    columns_.reset();
    target_ = nullptr;
    if (!hottest && !summary) return true;
    // Sorted by another event, the same functions come again; their new figures join the first's.
    target_ = summary ? &summaries_ : &hottest_;
    repeated_ = hottest && hottest_tables_++ > 0;
    return true;
  }

  void begin_table(const std::vector<std::string>& row) {
    columns_.emplace(row);
    function_ = columns_->find({"FUNCTION", "Function Name"});
    module_ = columns_->find({"Module", "Module Path"});
    time_.reset();
    taken_.clear();
    for (std::size_t i = 0; i < columns_->names().size(); ++i) {
      // "CPU_TIME", "\"CPU_TIME\" (seconds)", "CPU_TIME (s)".
      const std::string& name = columns_->names()[i];
      if (!time_ && name.substr(0, 8) == "CPU_TIME") time_ = i;
    }
    if (!function_) {
      columns_.reset();
      target_ = nullptr;
      return;
    }
    ++tables_;
    for (const auto& column : {function_, module_, time_}) {
      if (column) taken_.push_back(*column);
    }
  }

  absl::Status add_function(const std::vector<std::string>& row) {
    Hotspot spot;
    spot.function = field_at(row, function_);
    spot.module = field_at(row, module_);
    if (spot.function.empty()) {
      return base::invalid_argument("{}: line {}: no FUNCTION", input_.name(), csv_.line());
    }
    if (const std::string_view text = field_at(row, time_); !text.empty()) {
      const auto ns = duration_ns_of(text, kSecondsToNs);
      if (!ns || *ns < 0) {
        return base::invalid_argument("{}: line {}: \"{}\" is \"{}\", expected seconds",
                                      input_.name(), csv_.line(), columns_->names()[*time_], text);
      }
      spot.total_ns = *ns;
    } else if (time_) {
      return base::invalid_argument("{}: line {}: no \"{}\"", input_.name(), csv_.line(),
                                    columns_->names()[*time_]);
    }
    spot.metrics = other_numbers(*columns_, row, taken_);
    const absl::Status added = repeated_ ? target_->join(spot) : target_->add(spot);
    return added.ok() ? added : base::with_context(added, input_.name());
  }

  void set_model(const std::vector<std::string>& row) {
    if (row.size() < 2) return;
    const std::string_view path = trimmed(row[1]);
    import_.model = path.substr(path.find_last_of("/\\") + 1);
  }

  Input& input_;
  CsvReader csv_;
  Import import_;
  std::string version_;
  std::optional<CsvColumns> columns_;
  std::optional<std::size_t> function_, module_, time_;
  std::vector<std::size_t> taken_;
  Hotspots hottest_;
  Hotspots summaries_;
  Hotspots* target_ = nullptr;
  std::size_t hottest_tables_ = 0;
  bool repeated_ = false;
  std::size_t tables_ = 0;
};

absl::StatusOr<Import> read(Input& input) { return ReportReader(input).read(); }

}  // namespace

extern const Importer kUprof;
const Importer kUprof = {"uprof", "AMD uProf: AMDuProfCLI report, report.csv", recognises, read};

}  // namespace tachostat::trace

// OpenVINO benchmark_app's reports: per-layer counters (-report_type average_counters or
// detailed_counters, and the sorted one of -pcsort) and benchmark_report.csv, which has no layers
// but the whole model's figures; together they make one profile.
#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

constexpr std::string_view kFirstSection = "Command line parameters";
constexpr double kMsToNs = 1e6;
// Layers kept; real models have thousands.
constexpr std::size_t kMostLayers = 1'000'000;

bool recognises(std::string_view start, std::string_view) {
  const std::string_view text = trimmed(start);
  const std::string_view line = trimmed(text.substr(0, text.find('\n')));
  if (line == kFirstSection || line == "Configuration setup") return true;
  return line.substr(0, 9) == "layerName" && line.find("execStatus") != line.npos;
}

// Adds up one or, of detailed counters, many tables: one per infer request.
class CountersReader {
 public:
  CountersReader(Input& input, char delimiter) : input_(input), csv_(input, delimiter) {}

  absl::StatusOr<Import> read() {
    TS_RETURN_IF_ERROR(csv_.each([this](const auto& row) { return add(row); }));
    if (tables_ == 0 && results_ == 0) {
      return base::invalid_argument(
          "{}: no table of layerName, execStatus, … and no execution results; expected a report of "
          "benchmark_app -report_type average_counters or detailed_counters",
          input_.name());
    }
    import_.tool = "openvino benchmark_app";
    if (tables_ > 0) finish_layers();
    return std::move(import_);
  }

 private:
  struct Sum {
    std::size_t row = 0;
    std::uint64_t seen = 0;
    double real_ns = 0;
    double min_ns = 0;
    double max_ns = 0;
    double cpu_ns = 0;
    bool cpu_known = false;
  };

  absl::Status add(const std::vector<std::string>& row) {
    if (row.empty()) return absl::OkStatus();
    if (same_ignoring_case(trimmed(row[0]), "layerName")) return begin_table(row);
    if (columns_) return add_layer(row);
    return add_result(row);
  }

  absl::Status begin_table(const std::vector<std::string>& row) {
    columns_.emplace(row);
    status_ = columns_->find({"execStatus"});
    type_ = columns_->find({"layerType"});
    kernel_ = columns_->find({"execType"});
    real_ = columns_->find({"realTime (ms)", "realTime"});
    cpu_ = columns_->find({"cpuTime (ms)", "cpuTime"});
    ++tables_;
    if (real_) return absl::OkStatus();
    return base::invalid_argument("{}: line {}: no column \"realTime (ms)\"", input_.name(),
                                  csv_.line());
  }

  absl::Status add_layer(const std::vector<std::string>& row) {
    const std::string_view name = trimmed(row[0]);
    // "Total;;;;1.8;1.8" of one table, "Total time: 1.81 milliseconds" of the sorted one.
    if (field_at(row, type_).empty() && name.substr(0, 5) == "Total") return absl::OkStatus();
    if (name.empty()) {
      return base::invalid_argument("{}: line {}: no layerName", input_.name(), csv_.line());
    }
    TS_ASSIGN_OR_RETURN(const double real_ns, time_in(row, real_));
    Sum& sum = sum_of(std::string(name), row);
    const std::string_view status = field_at(row, status_);
    const bool executed = status.empty() || status == "EXECUTED" || status == "Status.EXECUTED";
    if (!executed) return absl::OkStatus();
    sum.min_ns = sum.seen == 0 ? real_ns : std::min(sum.min_ns, real_ns);
    sum.max_ns = std::max(sum.max_ns, real_ns);
    sum.real_ns += real_ns;
    ++sum.seen;
    if (cpu_) {
      TS_ASSIGN_OR_RETURN(const double cpu_ns, time_in(row, cpu_));
      sum.cpu_ns += cpu_ns;
      sum.cpu_known = true;
    }
    if (import_.layers.size() <= kMostLayers) return absl::OkStatus();
    return base::invalid_argument("{}: more than {} layers", input_.name(), kMostLayers);
  }

  absl::StatusOr<double> time_in(const std::vector<std::string>& row,
                                 std::optional<std::size_t> column) const {
    const std::string_view text = field_at(row, column);
    const auto ns = duration_ns_of(text, kMsToNs);
    if (ns && *ns >= 0) return *ns;
    return base::invalid_argument(
        "{}: line {}: layer '{}': \"{}\" is \"{}\", expected milliseconds", input_.name(),
        csv_.line(), trimmed(row[0]), column ? columns_->names()[*column] : "", text);
  }

  Sum& sum_of(const std::string& name, const std::vector<std::string>& row) {
    const auto [at, fresh] = sums_.try_emplace(name);
    if (fresh) {
      at->second.row = import_.layers.size();
      LayerRow layer{.name = name};
      layer.type = field_at(row, type_);
      layer.kernel = field_at(row, kernel_);
      if (layer.kernel == "undef") layer.kernel.clear();
      layer.precision = precision_in_kernel(layer.kernel);
      import_.layers.push_back(std::move(layer));
    }
    return at->second;
  }

  void finish_layers() {
    for (const auto& [name, sum] : sums_) {
      LayerRow& layer = import_.layers[sum.row];
      if (sum.seen == 0) continue;
      const double n = static_cast<double>(sum.seen);
      layer.count = sum.seen;
      layer.mean_ns = sum.real_ns / n;
      if (sum.seen > 1) {
        layer.min_ns = sum.min_ns;
        layer.max_ns = sum.max_ns;
      }
      if (sum.cpu_known) layer.metrics["cpu_ns"] = sum.cpu_ns / n;
    }
    import_.notes.push_back(
        tables_ > 1 ? "a time per infer request, each of its last inference"
                    : "one time per layer: of one inference, or an average over infer requests");
  }

  // "name;value" of benchmark_report.csv.
  absl::Status add_result(const std::vector<std::string>& row) {
    if (row.size() < 2) {
      in_results_ = in_results_ || trimmed(row[0]) == "Execution results";
      return absl::OkStatus();
    }
    const std::string_view name = trimmed(row[0]);
    const std::string_view value = trimmed(row[1]);
    if (!in_results_) {
      if (name == "topology") import_.model = value;
      return absl::OkStatus();
    }
    ++results_;
    const bool total = name == "total number of iterations";
    const bool mean = name == "avg latency" || name == "Avg latency" || name == "AVG latency";
    if (!total && !mean) return absl::OkStatus();
    const auto number = number_of(value);
    if (!number || *number < 0 || *number > 1e15) {
      return base::invalid_argument("{}: line {}: \"{}\" is \"{}\", expected a number",
                                    input_.name(), csv_.line(), name, value);
    }
    if (total) import_.requests = static_cast<std::uint64_t>(*number);
    if (mean) import_.request_mean_ns = *number * kMsToNs;
    return absl::OkStatus();
  }

  Input& input_;
  CsvReader csv_;
  Import import_;
  std::optional<CsvColumns> columns_;
  std::optional<std::size_t> status_, type_, kernel_, real_, cpu_;
  std::unordered_map<std::string, Sum> sums_;
  std::size_t tables_ = 0;
  std::size_t results_ = 0;
  bool in_results_ = false;
};

absl::StatusOr<Import> read(Input& input) {
  const std::string_view text = trimmed(input.start());
  const std::string_view line = text.substr(0, text.find('\n'));
  // The sorted table has commas; everything else has semicolons.
  const bool table = line.substr(0, 9) == "layerName";
  return CountersReader(input, table ? delimiter_of(line) : ';').read();
}

}  // namespace

extern const Importer kOpenvinoCounters;
const Importer kOpenvinoCounters = {
    "openvino-counters",
    "OpenVINO benchmark_app -report_type average_counters or detailed_counters, and its report",
    recognises, read};

}  // namespace tachostat::trace

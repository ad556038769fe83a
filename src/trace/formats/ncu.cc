// Nsight Compute: ncu --csv, with --page raw (a column per metric, units in the second row) or
// --page details (a row per metric). Source of the format: the Nsight Compute CLI guide and
// printed examples of it.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"

namespace tachostat::trace {
namespace {

// A value in the unit's own base: seconds become nanoseconds, "Mbyte/second" becomes
// "byte/second". The unit changes along; units that are none of these stay as they are.
double to_base(double value, std::string& unit) {
  static constexpr std::pair<std::string_view, double> kTimes[] = {
      {"nsecond", 1},   {"ns", 1},   {"usecond", 1e3}, {"us", 1e3},
      {"msecond", 1e6}, {"ms", 1e6}, {"second", 1e9},  {"s", 1e9}};
  for (const auto& [name, factor] : kTimes) {
    if (unit != name) continue;
    unit = "ns";
    return value * factor;
  }
  static constexpr std::pair<char, double> kPrefixes[] = {
      {'K', 1e3}, {'M', 1e6}, {'G', 1e9}, {'T', 1e12}};
  for (const auto& [prefix, factor] : kPrefixes) {
    if (unit.empty() || unit[0] != prefix) continue;
    const std::string rest = unit.substr(1);
    if (!rest.starts_with("byte") && !rest.starts_with("hz") && !rest.starts_with("Hz")) continue;
    unit = rest;
    return value * factor;
  }
  return value;
}

struct Metric {
  double sum = 0;
  std::uint64_t count = 0;
};

// All launches of one kernel with one grid and block.
struct Kernel {
  LayerRow row = {};
  std::vector<double> durations_ns = {};
  std::map<std::string, Metric> metrics = {};
  std::string last_id = {};
  std::uint64_t launches = 0;
};

class NcuReader {
 public:
  explicit NcuReader(std::vector<std::string> header) : columns_(std::move(header)) {
    id_ = columns_.find({"ID"});
    kernel_ = columns_.find({"Kernel Name"});
    device_ = columns_.find({"Device"});
    block_ = columns_.find({"Block Size"});
    grid_ = columns_.find({"Grid Size"});
    metric_ = columns_.find({"Metric Name"});
    unit_ = columns_.find({"Metric Unit"});
    value_ = columns_.find({"Metric Value"});
    // The raw page's metrics have dots or double underscores in their names, its facts have not.
    for (std::size_t i = 0; i < columns_.names().size(); ++i) {
      const std::string& name = columns_.names()[i];
      if (name.find("__") != name.npos || name.find('.') != name.npos) raw_.push_back(i);
    }
  }

  bool is_details() const { return metric_ && value_; }
  bool usable() const { return kernel_ && (is_details() || !raw_.empty()); }

  void add(const std::vector<std::string>& row) {
    const std::string_view name = trimmed(field_at(row, kernel_));
    if (name.empty()) {  // the raw page's row of units
      if (!is_details()) units_ = row;
      return;
    }
    Kernel& kernel = kernel_of(row, name);
    const std::string_view id = field_at(row, id_);
    if (!is_details() || kernel.launches == 0 || kernel.last_id != id) ++kernel.launches;
    kernel.last_id = id;
    if (is_details()) {
      add_value(kernel, std::string(trimmed(field_at(row, metric_))),
                std::string(trimmed(field_at(row, unit_))), field_at(row, value_), true);
      return;
    }
    for (const std::size_t column : raw_) {
      add_value(kernel, columns_.names()[column], std::string(trimmed(field_at(units_, column))),
                field_at(row, column), false);
    }
  }

  Import finish() {
    Import import{.tool = "ncu"};
    for (Kernel& kernel : kernels_) {
      LayerRow& row = kernel.row;
      std::vector<double>& times = kernel.durations_ns;
      std::sort(times.begin(), times.end());
      if (times.empty()) {
        // A count says that there are times.
        row.metrics["launches"] = static_cast<double>(kernel.launches);
      } else {
        row.count = kernel.launches;
        double sum = 0;
        for (const double time : times) sum += time;
        row.mean_ns = sum / static_cast<double>(times.size());
        row.min_ns = times.front();
        row.max_ns = times.back();
        row.median_ns = times[times.size() / 2];
      }
      for (const auto& [metric, value] : kernel.metrics) {
        const double mean = value.sum / static_cast<double>(value.count);
        if (std::isfinite(mean)) row.metrics[metric] = mean;
      }
      row.flops = flops_of(row.metrics);
      row.bytes = bytes_of(row.metrics);
      import.layers.push_back(std::move(row));
    }
    import.notes.emplace_back(
        "Nsight Compute replays kernels at fixed clocks and with cold caches unless told "
        "otherwise: "
        "times are longer than in a run");
    return import;
  }

 private:
  Kernel& kernel_of(const std::vector<std::string>& row, std::string_view name) {
    std::string key(name);
    const std::string_view grid = trimmed(field_at(row, grid_));
    const std::string_view block = trimmed(field_at(row, block_));
    if (!grid.empty() && !block.empty()) key += fmt::format(" [grid {}, block {}]", grid, block);
    const auto [known, added] = numbers_.try_emplace(key, kernels_.size());
    if (added) {
      Kernel& kernel = kernels_.emplace_back();
      kernel.row = {
          .name = key, .type = std::string(short_name(name)), .kernel = std::string(name)};
      const std::string_view device = trimmed(field_at(row, device_));
      if (!device.empty()) kernel.row.device = fmt::format("GPU {}", device);
    }
    return kernels_[known->second];
  }

  // "void ns::gemm<float, 4>(Params)" is "gemm".
  static std::string_view short_name(std::string_view name) {
    name = name.substr(0, name.find_first_of("<("));
    const std::size_t start = name.find_last_of(": ");
    return start == name.npos ? name : name.substr(start + 1);
  }

  // On the details page names repeat with other units, so the unit is part of the metric's name.
  static void add_value(Kernel& kernel, std::string name, std::string unit, std::string_view text,
                        bool with_unit) {
    const auto number = trace::number_of(text);
    if (name.empty() || !number) return;
    const double value = to_base(*number, unit);
    if (unit == "ns" && value >= 0 && value < 1e18 &&
        (name == "gpu__time_duration.sum" || name == "Duration")) {
      if (kernel.durations_ns.size() < kernel.launches) kernel.durations_ns.push_back(value);
    }
    if (with_unit && !unit.empty() && name.find("__") == name.npos)
      name += fmt::format(" [{}]", unit);
    Metric& metric = kernel.metrics[name];
    metric.sum += value;
    ++metric.count;
  }

  // Nothing counts below zero, whatever the file says.
  static std::optional<double> counted(const std::map<std::string, double>& metrics,
                                       const std::string& name) {
    const auto found = metrics.find(name);
    const bool good = found != metrics.end() && found->second >= 0 && found->second < 1e30;
    return good ? std::optional(found->second) : std::nullopt;
  }

  // -1 unless at least one of the counters was measured.
  static double flops_of(const std::map<std::string, double>& metrics) {
    double flops = -1;
    for (const char type : {'h', 'f', 'd'}) {
      for (const auto& [operation, each] : {std::pair("add", 1.0), {"mul", 1.0}, {"fma", 2.0}}) {
        const auto count = counted(
            metrics,
            fmt::format("sm__sass_thread_inst_executed_op_{}{}_pred_on.sum", type, operation));
        if (count) flops = std::max(flops, 0.0) + each * *count;
      }
    }
    return flops;
  }

  static double bytes_of(const std::map<std::string, double>& metrics) {
    if (const auto both = counted(metrics, "dram__bytes.sum")) return *both;
    const auto read = counted(metrics, "dram__bytes_read.sum");
    const auto write = counted(metrics, "dram__bytes_write.sum");
    return read && write ? *read + *write : -1;
  }

  CsvColumns columns_;
  std::optional<std::size_t> id_, kernel_, device_, block_, grid_, metric_, unit_, value_;
  std::vector<std::size_t> raw_;
  std::vector<std::string> units_;
  std::vector<Kernel> kernels_;
  std::map<std::string, std::size_t, std::less<>> numbers_;
};

bool recognises(std::string_view start, std::string_view) {
  // What the program and ncu print may come before the table.
  return start.find("\"ID\",\"Process ID\",\"Process Name\"") != start.npos;
}

absl::StatusOr<Import> read(Input& input) {
  CsvReader csv(input, ',');
  std::vector<std::string> row;
  for (;;) {
    TS_ASSIGN_OR_RETURN(const bool any, csv.next(row));
    if (!any) {
      return base::invalid_argument(
          "{}: no header with \"ID\" and \"Kernel Name\": is it the output of ncu --csv?",
          input.name());
    }
    if (row.size() > 2 && trimmed(row[0]) == "ID" &&
        std::find(row.begin(), row.end(), "Kernel Name") != row.end()) {
      break;
    }
  }
  NcuReader reader(row);
  if (!reader.usable()) {
    return base::invalid_argument(
        "{}: line {}: neither \"Metric Name\" and \"Metric Value\" nor a column per metric; use "
        "--page raw or --page details",
        input.name(), csv.line());
  }
  for (;;) {
    TS_ASSIGN_OR_RETURN(const bool any, csv.next(row));
    if (!any) break;
    if (row.size() > 2) reader.add(row);  // else what was printed between
  }
  Import import = reader.finish();
  if (import.layers.empty()) {
    return base::invalid_argument("{}: a header but no kernel", input.name());
  }
  return import;
}

}  // namespace

extern const Importer kNcu;
const Importer kNcu = {"ncu", "Nsight Compute, ncu --csv --page raw or --page details", recognises,
                       read};

}  // namespace tachostat::trace

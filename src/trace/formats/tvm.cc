// TVM's profiler report as JSON: tvm.runtime.profiling.Report.json() of vm.profile() or of the
// graph executor's profile(). {"calls": [{"Name": "…", "Duration (us)": {"microseconds": 1.5},
// "Count":
// {"count": 1}, "Percent": {"percent": 3}, "Device": "cpu0", "Argument Shapes": "float32[1, 8], …",
// …}], "device_metrics": {"cpu0": {…}}}: src/runtime/profiling.cc, ReportNode::AsJSON(), of
// apache/tvm before 0.22, where the runtime lost its profiler.
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/status.h"
#include "trace/formats/csv.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr double kUsToNs = 1e3;
constexpr std::string_view kDuration = "Duration (us)";
constexpr std::string_view kShapes = "Argument Shapes";

using simdjson::dom::element;
using simdjson::dom::object;

bool recognises(std::string_view start, std::string_view) {
  const std::string_view text = trimmed(start);
  return !text.empty() && text.front() == '{' && start.find("\"calls\"") != start.npos &&
         (start.find(kDuration) != start.npos || start.find("\"device_metrics\"") != start.npos ||
          start.find("\"microseconds\"") != start.npos);
}

// {"microseconds": 1.5}, {"count": 3}, {"percent": 2}, {"ratio": 0.5}, or a bare number.
std::optional<double> metric(element value) {
  double number = 0;
  if (value.is<object>()) {
    for (const char* unit : {"microseconds", "count", "percent", "ratio"}) {
      if (value[unit].get(number) == simdjson::SUCCESS) return number;
    }
    return std::nullopt;
  }
  if (value.get(number) == simdjson::SUCCESS) return number;
  return std::nullopt;
}

std::string text_of(const object& from, std::string_view member) {
  std::string_view text;
  if (from[member].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

// Bytes of "float32[1, 3, 224, 224], int8[64]": every argument once. -1 when a part is not
// understood.
double bytes_of(std::string_view shapes) {
  double total = 0;
  while (!trimmed(shapes).empty()) {
    const std::size_t open = shapes.find('[');
    const std::size_t close = shapes.find(']');
    if (open == shapes.npos || close == shapes.npos || close < open) return -1;
    std::string_view type = trimmed(shapes.substr(0, open));
    while (!type.empty() && (type.front() == ',' || type.front() == ' ')) type.remove_prefix(1);
    double bytes = bits_of_precision(precision_named(type)) / 8.0;
    if (bytes == 0) return -1;
    std::string_view dimensions = shapes.substr(open + 1, close - open - 1);
    while (!trimmed(dimensions).empty()) {
      const std::size_t comma = std::min(dimensions.find(','), dimensions.size());
      const auto size = number_of(dimensions.substr(0, comma));
      if (!size || *size < 0) return -1;
      bytes *= *size;
      dimensions.remove_prefix(std::min(comma + 1, dimensions.size()));
    }
    total += bytes;
    shapes.remove_prefix(close + 1);
  }
  return total > 0 && std::isfinite(total) ? total : -1;
}

class ReportReader {
 public:
  explicit ReportReader(const std::string& file) : file_(file) {}

  absl::StatusOr<Import> read(element root) {
    simdjson::dom::array calls;
    if (root["calls"].get(calls) != simdjson::SUCCESS) {
      return base::invalid_argument("{}: no array \"calls\"; expected TVM's Report.json()", file_);
    }
    std::size_t index = 0;
    for (const element call : calls) TS_RETURN_IF_ERROR(add(call, index++));
    import_.tool = "tvm";
    TS_RETURN_IF_ERROR(add_devices(root));
    for (Sum& sum : sums_) finish(sum);
    return std::move(import_);
  }

 private:
  // Calls of one operator with the same arguments are one layer.
  struct Sum {
    LayerRow row;
    double total_ns = 0;
    std::map<std::string, double> totals;
  };

  absl::Status add(element value, std::size_t index) {
    object call;
    if (value.get(call) != simdjson::SUCCESS) return wrong(index, "a call", "an object");
    const std::string name = text_of(call, "Name");
    if (name.empty()) return wrong(index, "\"Name\"", "a text");
    element duration;
    std::optional<double> us;
    if (call[kDuration].get(duration) == simdjson::SUCCESS) us = metric(duration);
    if (!us || *us < 0 || *us > 1e15) {
      return wrong(index, "\"Duration (us)\"", "{\"microseconds\": …}, 0 or more");
    }
    double count = 1;
    element counted;
    if (call["Count"].get(counted) == simdjson::SUCCESS) count = metric(counted).value_or(0);
    if (count < 1 || count > 1e12) return wrong(index, "\"Count\"", "{\"count\": …}, 1 or more");
    Sum& sum = sum_of(call, name);
    LayerRow& row = sum.row;
    const double each_ns = *us * kUsToNs / count;
    row.min_ns = row.count == 0 ? each_ns : std::min(row.min_ns, each_ns);
    row.max_ns = std::max(row.max_ns, each_ns);
    row.count += static_cast<std::uint64_t>(count);
    sum.total_ns += *us * kUsToNs;
    add_metrics(call, sum);
    return absl::OkStatus();
  }

  Sum& sum_of(const object& call, const std::string& name) {
    const std::string shapes = text_of(call, kShapes);
    const std::string device = text_of(call, "Device");
    const std::string hash = text_of(call, "Hash");
    const auto [at, fresh] = known_.try_emplace({name, shapes, device, hash}, sums_.size());
    if (fresh) {
      Sum sum;
      const std::size_t before = names_[name]++;
      sum.row.name = before == 0 ? name : fmt::format("{} #{}", name, before + 1);
      sum.row.type = name;
      sum.row.kernel = hash.empty() ? name : fmt::format("{} {}", name, hash);
      sum.row.device = device;
      sum.row.layout = text_of(call, "data_layout");
      sum.row.precision = precision_named(shapes.substr(0, shapes.find('[')));
      sum.row.bytes = bytes_of(shapes);
      sums_.push_back(std::move(sum));
    }
    return sums_[at->second];
  }

  static void add_metrics(const object& call, Sum& sum) {
    for (const auto [key, value] : call) {
      if (key == kDuration || key == "Count" || key == "Percent") continue;
      const auto number = metric(value);
      if (number) sum.totals[std::string(key)] += *number;
    }
  }

  static void finish_row(Sum& sum) {
    const double n = static_cast<double>(sum.row.count);
    sum.row.mean_ns = sum.total_ns / n;
    if (sum.row.count == 1) sum.row.min_ns = sum.row.max_ns = -1;
    for (const auto& [name, total] : sum.totals) {
      if (std::isfinite(total / n)) sum.row.metrics[name] = total / n;
    }
  }
  void finish(Sum& sum) {
    finish_row(sum);
    import_.layers.push_back(std::move(sum.row));
  }

  // The last frame of each device is the whole run. Devices run side by side: the longest counts.
  absl::Status add_devices(element root) {
    object devices;
    if (root["device_metrics"].get(devices) != simdjson::SUCCESS) return absl::OkStatus();
    for (const auto [name, value] : devices) {
      element duration;
      if (value[kDuration].get(duration) != simdjson::SUCCESS) continue;
      const auto us = metric(duration);
      if (!us || *us < 0 || *us > 1e15) {
        return base::invalid_argument(
            "{}: device_metrics of '{}': \"Duration (us)\" is no duration", file_, name);
      }
      import_.request_mean_ns = std::max(import_.request_mean_ns, *us * kUsToNs);
      import_.requests = 1;
    }
    return absl::OkStatus();
  }

  absl::Status wrong(std::size_t index, std::string_view what, std::string_view expected) const {
    return base::invalid_argument("{}: calls[{}]: {} is missing or wrong; expected {}", file_,
                                  index, what, expected);
  }

  const std::string& file_;
  Import import_;
  std::vector<Sum> sums_;
  std::map<std::array<std::string, 4>, std::size_t> known_;
  std::map<std::string, std::size_t> names_;
};

absl::StatusOr<Import> read(Input& input) {
  TS_ASSIGN_OR_RETURN(const std::string text, input.all(kMostBytes));
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(text).get(root); error != simdjson::SUCCESS) {
    return base::invalid_argument("{}: not whole JSON: {}", input.name(),
                                  simdjson::error_message(error));
  }
  return ReportReader(input.name()).read(root);
}

}  // namespace

extern const Importer kTvm;
const Importer kTvm = {"tvm", "TVM's profiler: tvm.runtime.profiling.Report.json()", recognises,
                       read};

}  // namespace tachostat::trace

#include "trace/formats/hotspots.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/status.h"

namespace tachostat::trace {
namespace {

// Adding up makes no sense of these; the first row, the hottest, stands for all.
bool is_ratio(std::string_view metric) {
  constexpr std::array<std::string_view, 9> kSigns = {"Rate", "RATE", "Ratio", "%",   "Bound",
                                                      "Aver", "IPC",  "CPI",   "per "};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [metric](std::string_view sign) { return metric.find(sign) != metric.npos; });
}

}  // namespace

absl::Status Hotspots::add(const Hotspot& spot) {
  Sum& sum = sums_[{std::string(spot.function), std::string(spot.module)}];
  if (sums_.size() > kMost) {
    return absl::ResourceExhaustedError(fmt::format("more than {} functions", kMost));
  }
  const bool fresh = sum.count == 0;
  sum.count = std::max<std::uint64_t>(spot.count, 1) + (spot.count > 1 ? sum.count : 0);
  if (spot.total_ns >= 0) sum.total_ns = std::max(sum.total_ns, 0.0) + spot.total_ns;
  if (spot.count <= 1) sampled_ = true;
  for (const auto& [name, value] : spot.metrics) {
    if (fresh) {
      sum.metrics[name] = value;
    } else if (!is_ratio(name)) {
      sum.metrics[name] += value;
    }
  }
  return absl::OkStatus();
}

absl::Status Hotspots::join(const Hotspot& spot) {
  const auto known = sums_.find({std::string(spot.function), std::string(spot.module)});
  if (known == sums_.end()) return add(spot);
  known->second.metrics.insert(spot.metrics.begin(), spot.metrics.end());
  return absl::OkStatus();
}

void Hotspots::move_to(Import& import) {
  std::map<std::string_view, int> modules;
  for (const auto& [key, sum] : sums_) ++modules[key.first];
  bool timed = false;
  for (const auto& [key, sum] : sums_) {
    const auto& [function, module] = key;
    LayerRow row{.name = function, .type = "function"};
    row.kernel = module.empty() ? function : module + "!" + function;
    if (modules[function] > 1) row.name = row.kernel;
    const double n = static_cast<double>(sum.count);
    if (sum.total_ns >= 0) {
      timed = true;
      row.count = sum.count;
      row.mean_ns = sum.total_ns / n;
    }
    for (const auto& [name, value] : sum.metrics) {
      const double each = is_ratio(name) ? value : value / n;
      if (std::isfinite(each)) row.metrics[name] = each;
    }
    import.layers.push_back(std::move(row));
  }
  sums_.clear();
  std::stable_sort(
      import.layers.begin(), import.layers.end(), [](const LayerRow& a, const LayerRow& b) {
        return a.mean_ns * static_cast<double>(a.count) > b.mean_ns * static_cast<double>(b.count);
      });
  if (!timed) {
    import.notes.push_back("functions, not layers, and no column of time: events only");
  } else if (sampled_) {
    import.notes.push_back(
        "functions, not layers: processor time of all threads over the whole run, counted as one "
        "execution");
  }
}

std::map<std::string, double> other_numbers(const CsvColumns& columns,
                                            const std::vector<std::string>& row,
                                            const std::vector<std::size_t>& taken) {
  std::map<std::string, double> numbers;
  for (std::size_t i = 0; i < std::min(row.size(), columns.names().size()); ++i) {
    if (std::find(taken.begin(), taken.end(), i) != taken.end()) continue;
    const std::string& name = columns.names()[i];
    const auto number = number_of(row[i]);
    if (number && !name.empty()) numbers[name] = *number;
  }
  return numbers;
}

}  // namespace tachostat::trace

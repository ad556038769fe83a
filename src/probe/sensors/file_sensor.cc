#include "probe/sensors/file_sensor.h"

#include <fmt/format.h>

#include "base/status.h"

namespace tachostat::probe {
namespace {

// Empty when there is none.
std::string fault_of(const Scan::Item& item) {
  if (item.kind == Reading::Kind::kLevel) {
    if (plausible(item.unit, item.value)) return {};
    return fmt::format("{} {} is not possible", item.value, item.unit);
  }
  if (item.range == 0 || item.count <= item.range) return {};
  return fmt::format("{} is above its own range of {}", item.count, item.range);
}

}  // namespace

void Scan::level(std::string name, std::string_view unit, double value) {
  items_.push_back({.name = std::move(name), .unit = std::string(unit), .value = value});
}

void Scan::counter(std::string name, std::string_view unit, std::uint64_t count, double scale,
                   std::uint64_t range) {
  items_.push_back({.name = std::move(name),
                    .unit = std::string(unit),
                    .kind = Reading::Kind::kCounter,
                    .count = count,
                    .scale = scale,
                    .range = range});
}

absl::Status FileSensor::available() const {
  Scan found;
  scan(found);
  if (found.items().empty()) return why_nothing();
  std::string fault;
  for (const Scan::Item& item : found.items()) {
    fault = fault_of(item);
    if (fault.empty()) return absl::OkStatus();
  }
  return base::unavailable("{}/{}: {}", name_, found.items().back().name, fault);
}

absl::Status FileSensor::read(std::vector<Reading>& out) {
  left_out_.clear();
  Scan found;
  scan(found);
  if (found.items().empty()) return why_nothing();
  std::map<std::string, int> uses;
  for (const Scan::Item& item : found.items()) {
    std::string full = name_ + "/" + item.name;
    if (const int use = ++uses[full]; use > 1) full += fmt::format("#{}", use);
    if (const std::string fault = fault_of(item); !fault.empty()) {
      left_out_.push_back(full + ": " + fault);
      continue;
    }
    double value = item.value;
    if (item.kind == Reading::Kind::kCounter) {
      Unwrapped& counter = counters_[full];
      counter.add(item.count, item.range);
      value = counter.total() * item.scale;
    }
    out.push_back({.name = std::move(full), .unit = item.unit, .kind = item.kind, .value = value});
  }
  return absl::OkStatus();
}

}  // namespace tachostat::probe

#include "app/optimize/energy.h"

#include <algorithm>
#include <string_view>

namespace tachostat::app {
namespace {

// Zones overlap: a package holds its cores, "psys" holds all; only memory is counted beside it
// (Intel's manual, volume 3B, section 15.10).
bool adds_up(std::string_view name) {
  constexpr std::string_view kPackage = "rapl/package-";
  if (!name.starts_with(kPackage)) return false;
  name.remove_prefix(kPackage.size());
  return name.find('/') == name.npos || name.ends_with("/dram");
}

}  // namespace

EnergyMeter::EnergyMeter(const probe::SensorOptions& options) {
  for (std::unique_ptr<probe::Sensor>& sensor : probe::make_sensors(options)) {
    if (sensor->name() != "rapl") continue;
    available_ = sensor->available();
    if (available_.ok()) rapl_ = std::move(sensor);
    break;
  }
}

std::optional<double> EnergyMeter::joules() {
  std::vector<probe::Reading> readings;
  if (rapl_ == nullptr || !rapl_->read(readings).ok()) return std::nullopt;
  double sum = 0;
  std::size_t zones = 0;
  for (const probe::Reading& reading : readings) {
    if (reading.unit != "J" || !adds_up(reading.name)) continue;
    sum += reading.value;
    ++zones;
  }
  zones_ = std::max(zones_, zones);
  if (zones == 0 || zones < zones_) return std::nullopt;
  return sum;
}

}  // namespace tachostat::app

// Thermal zones and what cools them (Documentation/driver-api/thermal/sysfs-api.rst of the kernel).
#include <algorithm>
#include <map>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/thermal";

class Thermal final : public FileSensor {
 public:
  explicit Thermal(const SensorOptions& options) : FileSensor("thermal", options) {}

 private:
  void scan(Scan& out) const override {
    for (const std::string& zone : tree().list(kRoot, "thermal_zone")) {
      const std::string path = fmt::format("{}/{}", kRoot, zone);
      const auto temperature = tree().number(path + "/temp");
      if (!temperature) continue;
      std::string type = tree().word(path + "/type");
      if (type.empty()) type = zone;
      out.level(type, "Cel", *temperature * 1e-3);
      if (const auto limit = slowing_point(path)) out.level(type + "/slows_at", "Cel", *limit);
    }
    for (const auto& [type, share] : cooling()) out.level("cooling/" + type, "1", share);
  }

  // Where the kernel begins to slow the machine down: the lowest passive trip point. 0 and below
  // stand for "not set".
  std::optional<double> slowing_point(const std::string& path) const {
    std::optional<double> lowest;
    for (const std::string& file : tree().list(path, "trip_point_")) {
      if (!file.ends_with("_type") || tree().word(path + "/" + file) != "passive") continue;
      const std::string stem = file.substr(0, file.size() - std::string_view("_type").size());
      const auto value = tree().number(fmt::format("{}/{}_temp", path, stem));
      if (value && *value > 0) lowest = std::min(lowest.value_or(1e9), *value * 1e-3);
    }
    return lowest;
  }

  // How much of each kind of cooling is in use, 0 to 1, the most of its devices: one processor that
  // is slowed down counts.
  std::map<std::string, double> cooling() const {
    std::map<std::string, double> most;
    for (const std::string& device : tree().list(kRoot, "cooling_device")) {
      const std::string path = fmt::format("{}/{}", kRoot, device);
      const auto state = tree().number(path + "/cur_state");
      const auto full = tree().number(path + "/max_state");
      // Idle injection by intel_powerclamp says -1 while it is off.
      if (!state || !full || *state < 0 || *full <= 0 || *state > *full) continue;
      double& share = most[tree().word(path + "/type")];
      share = std::max(share, *state / *full);
    }
    return most;
  }

  absl::Status why_nothing() const override {
    return base::unavailable(
        "no thermal zones in {}: a virtual machine or container, or their drivers are not loaded",
        kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_thermal(const SensorOptions& options) {
  return std::make_unique<Thermal>(options);
}

}  // namespace tachostat::probe

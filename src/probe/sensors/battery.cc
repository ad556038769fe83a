// Batteries and chargers (Documentation/ABI/testing/sysfs-class-power of the kernel).
#include <cmath>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/power_supply";

class Battery final : public FileSensor {
 public:
  explicit Battery(const SensorOptions& options) : FileSensor("battery", options) {}

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts;
    for (const std::string& supply : supplies()) {
      const std::string status = tree().word(path_of(supply) + "/status");
      if (!status.empty()) facts.push_back({fmt::format("battery/{}/status", supply), status});
    }
    return facts;
  }

 private:
  static std::string path_of(const std::string& supply) {
    return fmt::format("{}/{}", kRoot, supply);
  }

  // Those that feed the machine, not its mouse.
  std::vector<std::string> supplies() const {
    std::vector<std::string> supplies = tree().list(kRoot);
    std::erase_if(supplies, [&](const std::string& supply) {
      return tree().word(path_of(supply) + "/scope") == "Device";
    });
    return supplies;
  }

  // Watts through the supply, whichever way. Drivers disagree on the sign of a current that leaves
  // the battery; the status says the direction.
  std::optional<double> watts(const std::string& path) const {
    if (const auto power = tree().number(path + "/power_now")) return std::abs(*power) * 1e-6;
    const auto current = tree().number(path + "/current_now");
    const auto voltage = tree().number(path + "/voltage_now");
    if (!current || !voltage) return std::nullopt;
    return std::abs(*current) * 1e-6 * *voltage * 1e-6;
  }

  void scan(Scan& out) const override {
    for (const std::string& supply : supplies()) {
      const std::string path = path_of(supply);
      if (tree().word(path + "/type") == "Battery") {
        scan_battery(supply, path, out);
      } else if (const auto online = tree().number(path + "/online")) {
        out.level(supply + "/online", "1", *online);
        const auto power = watts(path);
        if (*online > 0 && power) out.level(supply, "W", *power);
      }
    }
  }

  void scan_battery(const std::string& supply, const std::string& path, Scan& out) const {
    const std::string status = tree().word(path + "/status");
    // While it is charged, its power says nothing of what the machine draws.
    if (const auto power = watts(path); power && status == "Discharging") {
      out.level(supply, "W", *power);
    }
    const auto percent = tree().number(path + "/capacity");
    // A fuel gauge that has not learnt its battery says more than 100.
    if (percent && *percent <= 100) out.level(supply + "/charge", "1", *percent / 100);
    if (const auto tenths = tree().number(path + "/temp")) {
      out.level(supply + "/temperature", "Cel", *tenths / 10);
    }
  }

  absl::Status why_nothing() const override {
    return base::unavailable("no battery or charger in {}", kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_battery(const SensorOptions& options) {
  return std::make_unique<Battery>(options);
}

}  // namespace tachostat::probe

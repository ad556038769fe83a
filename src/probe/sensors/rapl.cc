// Energy counters of processor packages through the kernel's powercap interface
// (Documentation/power/powercap/powercap.rst). The driver is called intel-rapl for AMD too. Zones
// nest: a package holds core, uncore and dram, so only zones of one level may be added up.
#include <map>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/powercap";

class Rapl final : public FileSensor {
 public:
  explicit Rapl(const SensorOptions& options) : FileSensor("rapl", options) {}

 private:
  struct Zone {
    std::string path;
    std::string name;  // "package-0/dram"
  };

  // "intel-rapl:0:1" stands in "intel-rapl:0"; the kernel lists both side by side. The zones of
  // intel-rapl-mmio show the same package a second time: they come first and give way.
  std::vector<Zone> zones() const {
    std::map<std::string, std::string> by_name;
    for (const std::string& entry : tree().list(kRoot)) {
      if (entry.find(':') == entry.npos) continue;
      std::string path = fmt::format("{}/{}", kRoot, entry);
      const auto [at, is_new] = by_name.try_emplace(name_of(entry), path);
      if (!is_new && at->second.find("-mmio:") != std::string::npos) at->second = std::move(path);
    }
    std::vector<Zone> zones;
    for (auto& [name, path] : by_name) zones.push_back({std::move(path), name});
    return zones;
  }

  std::string name_of(const std::string& entry) const {
    std::string name = tree().word(fmt::format("{}/{}/name", kRoot, entry));
    if (name.empty()) name = entry;
    const std::string parent = entry.substr(0, entry.rfind(':'));
    return parent.find(':') == parent.npos ? name : name_of(parent) + "/" + name;
  }

  void scan(Scan& out) const override {
    for (const Zone& zone : zones()) {
      if (const auto energy = tree().count(zone.path + "/energy_uj")) {
        const auto range = tree().count(zone.path + "/max_energy_range_uj");
        out.counter(zone.name, "J", *energy, 1e-6, range.value_or(0));
      }
      const std::string limit = zone.path + "/constraint_0_";
      // 0 and a disabled limit mean that there is none.
      const auto watts = tree().number(limit + "power_limit_uw");
      if (watts.value_or(0) > 0 && tree().number(zone.path + "/enabled").value_or(1) != 0) {
        out.level(zone.name + "/limit", "W", *watts * 1e-6);
      }
    }
  }

  absl::Status why_nothing() const override {
    if (!tree().exists(kRoot)) {
      return base::unavailable(
          "no {}: this kernel or virtual machine has no energy counters, or the module "
          "intel_rapl_msr is not loaded",
          kRoot);
    }
    for (const Zone& zone : zones()) {
      const absl::Status status = tree().text(zone.path + "/energy_uj").status();
      if (absl::IsPermissionDenied(status)) {
        return base::unavailable(
            "{}; only root may read it since Linux 5.10: run as root, or let a udev rule give "
            "your group the right",
            status.message());
      }
      if (!status.ok()) return base::unavailable("{}", status.message());
      return base::unavailable("{}/energy_uj: not a number", zone.path);
    }
    return base::unavailable("no zones in {}: load the module intel_rapl_msr", kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_rapl(const SensorOptions& options) {
  return std::make_unique<Rapl>(options);
}

}  // namespace tachostat::probe

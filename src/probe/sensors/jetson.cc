// NVIDIA Jetson: power mode, GPU load, over-current events, and the rails of the boards whose
// INA3221 has NVIDIA's older driver (the newer one is a hwmon chip). Files as in the Jetson Linux
// Developer Guide, "Platform Power and Performance".
#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

class Jetson final : public FileSensor {
 public:
  explicit Jetson(const SensorOptions& options) : FileSensor("jetson", options) {}

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts;
    const auto mode = mode_number();
    if (mode) facts.push_back({"jetson/mode", mode_name(*mode)});
    const std::string model = tree().word("/proc/device-tree/model");
    if (model.find("Jetson") != model.npos) facts.push_back({"jetson/model", model});
    return facts;
  }

 private:
  // "pmode:0002 fmode:quiet"
  std::optional<std::uint64_t> mode_number() const {
    const std::string status = tree().word("/var/lib/nvpmodel/status");
    for (const std::string_view part : words(status)) {
      if (part.starts_with("pmode:")) return parse_count(part.substr(6));
    }
    return std::nullopt;
  }

  // From a line "< POWER_MODEL ID=2 NAME=MODE_15W >".
  std::string mode_name(std::uint64_t mode) const {
    const std::string configuration = tree().word("/etc/nvpmodel.conf");
    for (const std::string_view line : lines(configuration)) {
      const std::vector<std::string_view> parts = words(line);
      if (parts.size() < 4 || parts[0] != "<" || parts[1] != "POWER_MODEL") continue;
      std::optional<std::uint64_t> id;
      std::string_view name;
      for (const std::string_view part : parts) {
        if (part.starts_with("ID=")) id = parse_count(part.substr(3));
        if (part.starts_with("NAME=")) name = part.substr(5);
      }
      if (id == mode && !name.empty()) return std::string(name);
    }
    return fmt::format("mode {}", mode);
  }

  void scan(Scan& out) const override {
    if (const auto mode = mode_number()) out.level("mode", "1", static_cast<double>(*mode));
    scan_load(out);
    scan_rails(out);
    scan_over_current(out);
  }

  // The GPU's place changes with the chip and the release: gpu.0, 17000000.gpu, 17000000.ga10b.
  void scan_load(Scan& out) const {
    for (const std::string_view bus :
         {"/sys/devices", "/sys/devices/platform", "/sys/devices/platform/bus@0"}) {
      for (const std::string& device : tree().list(bus)) {
        const bool is_gpu = device == "gpu.0" || device.ends_with(".gpu") ||
                            device.ends_with(".ga10b") || device.ends_with(".gv11b") ||
                            device.ends_with(".gp10b") || device.ends_with(".gb10b");
        if (!is_gpu) continue;
        const auto permille = tree().number(fmt::format("{}/{}/load", bus, device));
        if (permille && *permille >= 0 && *permille <= 1000) {
          out.level("gpu/load", "1", *permille * 1e-3);
          return;
        }
      }
    }
  }

  void scan_rails(Scan& out) const {
    constexpr std::string_view kDriver = "/sys/bus/i2c/drivers/ina3221x";
    for (const std::string& address : tree().list(kDriver)) {
      const std::string chip = fmt::format("{}/{}", kDriver, address);
      for (const std::string& device : tree().list(chip, "iio:device")) {
        for (int rail = 0; rail < 3; ++rail) {
          const std::string path = fmt::format("{}/{}", chip, device);
          const std::string name = tree().word(fmt::format("{}/rail_name_{}", path, rail));
          const auto milliwatts = tree().number(fmt::format("{}/in_power{}_input", path, rail));
          if (!name.empty() && milliwatts) out.level("rail/" + name, "W", *milliwatts * 1e-3);
        }
      }
    }
  }

  // How often a rail's limit was hit and the clocks were cut.
  void scan_over_current(Scan& out) const {
    for (const std::string& entry : tree().list("/sys/class/hwmon", "hwmon")) {
      const std::string path = "/sys/class/hwmon/" + entry;
      if (tree().word(path + "/name") != "soctherm_oc") continue;
      for (const std::string& file : tree().list(path, "oc")) {
        if (!file.ends_with("_event_cnt")) continue;
        if (const auto count = tree().count(path + "/" + file)) {
          out.counter("over_current/" + file.substr(0, file.find('_')), "1", *count);
        }
      }
    }
  }

  absl::Status why_nothing() const override {
    return base::unavailable(
        "no /var/lib/nvpmodel/status and no load of a Tegra GPU: this is no Jetson");
  }
};

}  // namespace

std::unique_ptr<Sensor> make_jetson(const SensorOptions& options) {
  return std::make_unique<Jetson>(options);
}

}  // namespace tachostat::probe

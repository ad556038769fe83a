// Qualcomm's GPU through its kgsl driver (Android and Robotics kernels; their driver's source,
// kgsl_pwrctrl.c, is the documentation). Rails, batteries, zones and clocks of a Snapdragon come
// from hwmon, battery, thermal, devfreq and frequency.
#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/kgsl";

class Qualcomm final : public FileSensor {
 public:
  explicit Qualcomm(const SensorOptions& options) : FileSensor("qualcomm", options) {}

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts;
    const auto add = [&](std::string name, const std::string& path) {
      const std::string value = tree().word(path);
      if (!value.empty()) facts.push_back({"qualcomm/" + std::move(name), value});
    };
    for (const std::string& gpu : tree().list(kRoot, "kgsl-3d")) {
      add("gpu", fmt::format("{}/{}/gpu_model", kRoot, gpu));
      add("soc", "/sys/devices/soc0/machine");
    }
    return facts;
  }

 private:
  void scan(Scan& out) const override {
    for (const std::string& gpu : tree().list(kRoot, "kgsl-3d")) {
      const std::string path = fmt::format("{}/{}", kRoot, gpu);
      if (const auto busy = load(path)) out.level("gpu/load", "1", *busy);
      const auto clock = tree().number(path + "/gpuclk");
      if (clock && *clock > 0) out.level("gpu/clock", "Hz", *clock);
      const auto most = tree().number(path + "/max_gpuclk");
      if (most && *most > 0) out.level("gpu/allowed", "Hz", *most);
      if (const auto heat = tree().number(path + "/temp")) {
        out.level("gpu/temperature", "Cel", *heat * 1e-3);
      }
      // Above 0 heat has taken the fastest clocks away.
      if (const auto level = tree().number(path + "/thermal_pwrlevel")) {
        out.level("gpu/thermal_level", "1", *level);
      }
    }
  }

  // "BUSY TOTAL" in microseconds since it was last read, "0 0" while the GPU sleeps, when nothing
  // can be said; the older file is "12 %".
  std::optional<double> load(const std::string& path) const {
    const std::string text = tree().word(path + "/gpubusy");
    const std::vector<std::string_view> parts = words(text);
    if (parts.size() == 2) {
      const auto busy = parse_number(parts[0]);
      const auto total = parse_number(parts[1]);
      if (busy && total && *total > 0 && *busy >= 0 && *busy <= *total) return *busy / *total;
      return std::nullopt;
    }
    const std::string share = tree().word(path + "/gpu_busy_percentage");
    const std::vector<std::string_view> percent = words(share);
    if (percent.empty()) return std::nullopt;
    const auto value = parse_number(percent.front());
    return value && *value <= 100 ? std::optional(*value / 100) : std::nullopt;
  }

  absl::Status why_nothing() const override {
    return base::unavailable("no GPU in {}: no Qualcomm chip, or a mainline kernel (see devfreq)",
                             kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_qualcomm(const SensorOptions& options) {
  return std::make_unique<Qualcomm>(options);
}

}  // namespace tachostat::probe

// Clocks of what is no processor: GPUs, memory controllers and accelerators of ARM boards
// (Documentation/ABI/testing/sysfs-class-devfreq of the kernel).
#include <algorithm>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/devfreq";

// Qualcomm's bus governors put megabytes per second where a frequency belongs.
bool is_bandwidth(std::string_view name) {
  return name.find("bw") != name.npos || name.find("lat") != name.npos;
}

class Devfreq final : public FileSensor {
 public:
  explicit Devfreq(const SensorOptions& options) : FileSensor("devfreq", options) {}

 private:
  void scan(Scan& out) const override {
    for (const std::string& device : tree().list(kRoot)) {
      if (is_bandwidth(device)) continue;
      const std::string path = fmt::format("{}/{}", kRoot, device);
      const auto now = tree().number(path + "/cur_freq");
      // 0: the device sleeps.
      if (now && *now > 0) out.level(device, "Hz", *now);
      const auto cap = tree().number(path + "/max_freq");
      const std::string steps = tree().word(path + "/available_frequencies");
      double most = 0;
      for (const std::string_view step : words(steps)) {
        most = std::max(most, parse_number(step).value_or(0));
      }
      if (cap && *cap > 0 && most > 0)
        out.level(device + "/allowed", "1", std::min(*cap / most, 1.0));
    }
  }

  absl::Status why_nothing() const override {
    return base::unavailable("no devices in {}: usual on machines that are no ARM boards", kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_devfreq(const SensorOptions& options) {
  return std::make_unique<Devfreq>(options);
}

}  // namespace tachostat::probe

// How often and how long heat or power slowed the processors down: Intel's counts
// (thermal_throttle in sysfs), and the word of a Raspberry Pi's firmware.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kCpus = "/sys/devices/system/cpu";

// What the bits of a Raspberry Pi's get_throttled say of now; the same 16 higher: since it started.
constexpr std::pair<int, std::string_view> kPiBits[] = {
    {0, "undervoltage"}, {1, "capped"}, {2, "throttled"}, {3, "soft_temperature_limit"}};

class Throttle final : public FileSensor {
 public:
  explicit Throttle(const SensorOptions& options) : FileSensor("throttle", options) {}

 private:
  void scan(Scan& out) const override {
    scan_counts("core", "core_id", out);
    scan_counts("package", "physical_package_id", out);
    scan_pi(out);
  }

  // The threads of a core, and the cores of a package, tell the same count, each seen at another
  // moment: the greatest counts once.
  void scan_counts(std::string_view unit, std::string_view id_file, Scan& out) const {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> counts;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> milliseconds;
    for (const int cpu : parse_cpu_list(tree().word(fmt::format("{}/online", kCpus)))) {
      const std::string folder = fmt::format("{}/cpu{}/", kCpus, cpu);
      // All processors have it or none: one look instead of a thousand.
      if (counts.empty() && !tree().exists(folder + "thermal_throttle")) return;
      const std::string path = fmt::format("{}thermal_throttle/{}_throttle_", folder, unit);
      const auto count = tree().count(path + "count");
      const std::string topology = folder + "topology/";
      const auto id = tree().count(topology + std::string(id_file));
      if (!count || !id) continue;
      const std::pair key(tree().count(topology + "physical_package_id").value_or(0), *id);
      counts[key] = std::max(counts[key], *count);
      if (const auto time = tree().count(path + "total_time_ms")) {
        milliseconds[key] = std::max(milliseconds[key], *time);
      }
    }
    const auto sum = [](const auto& values) {
      std::uint64_t total = 0;
      for (const auto& [key, value] : values) total += value;
      return total;
    };
    if (!counts.empty()) out.counter(fmt::format("{}/events", unit), "1", sum(counts));
    if (!milliseconds.empty()) {
      out.counter(fmt::format("{}/time", unit), "s", sum(milliseconds), 1e-3);
    }
  }

  void scan_pi(Scan& out) const {
    if (const auto bits = pi_bits()) {
      for (const auto& [bit, name] : kPiBits) {
        out.level(fmt::format("firmware/{}", name), "1", (*bits >> bit) & 1);
        out.level(fmt::format("firmware/{}_since_start", name), "1", (*bits >> (bit + 16)) & 1);
      }
      return;
    }
    // Mainline kernels offer one of the bits, as an alarm.
    for (const std::string& chip : tree().list("/sys/class/hwmon", "hwmon")) {
      const std::string path = "/sys/class/hwmon/" + chip;
      if (tree().word(path + "/name") != "rpi_volt") continue;
      if (const auto alarm = tree().number(path + "/in0_lcrit_alarm")) {
        out.level("firmware/undervoltage", "1", *alarm);
      }
    }
  }

  // Hexadecimal, without 0x. Only Raspberry Pi's own kernels have the file.
  std::optional<std::uint32_t> pi_bits() const {
    constexpr std::string_view kPlatform = "/sys/devices/platform";
    for (const std::string& soc : tree().list(kPlatform, "soc")) {
      const std::string path = fmt::format("{}/{}", kPlatform, soc);
      for (const std::string& device : tree().list(path)) {
        if (!device.ends_with("firmware")) continue;
        std::string text = tree().word(fmt::format("{}/{}/get_throttled", path, device));
        if (text.starts_with("0x")) text.erase(0, 2);
        std::uint32_t bits = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
        if (error == std::errc() && end == text.data() + text.size()) return bits;
      }
    }
    return std::nullopt;
  }

  absl::Status why_nothing() const override {
    return base::unavailable(
        "no {}/cpu*/thermal_throttle and no Raspberry Pi firmware: only Intel processors (not in "
        "virtual machines) and Raspberry Pis count this",
        kCpus);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_throttle(const SensorOptions& options) {
  return std::make_unique<Throttle>(options);
}

}  // namespace tachostat::probe

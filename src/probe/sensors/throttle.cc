// How often and how long heat or power slowed the processors down: Intel's counts
// (thermal_throttle in sysfs), and the word of a Raspberry Pi's firmware.
#include <charconv>
#include <set>
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
  explicit Throttle(const SensorOptions& options) : FileSensor("throttle", options) {
    std::set<std::uint64_t> packages;
    std::set<std::pair<std::uint64_t, std::uint64_t>> cores;
    for (const int cpu : parse_cpu_list(tree().word(fmt::format("{}/online", kCpus)))) {
      const std::string folder = fmt::format("{}/cpu{}/", kCpus, cpu);
      // All processors have it or none: one look instead of a thousand.
      if (!tree().exists(folder + "thermal_throttle")) return;
      const std::uint64_t package =
          tree().count(folder + "topology/physical_package_id").value_or(0);
      const std::uint64_t core = tree().count(folder + "topology/core_id").value_or(0);
      if (cores.insert({package, core}).second) cores_.push_back(folder);
      if (packages.insert(package).second) packages_.push_back(folder);
    }
  }

 private:
  void scan(Scan& out) const override {
    scan_counts(cores_, "core", out);
    scan_counts(packages_, "package", out);
    scan_pi(out);
  }

  void scan_counts(const std::vector<std::string>& folders, std::string_view what,
                   Scan& out) const {
    std::uint64_t events = 0;
    std::uint64_t milliseconds = 0;
    bool has_events = false;
    bool has_time = false;
    for (const std::string& folder : folders) {
      const std::string path = fmt::format("{}thermal_throttle/{}_throttle_", folder, what);
      if (const auto count = tree().count(path + "count")) {
        events += *count;
        has_events = true;
      }
      if (const auto time = tree().count(path + "total_time_ms")) {
        milliseconds += *time;
        has_time = true;
      }
    }
    if (has_events) out.counter(fmt::format("{}/events", what), "1", events);
    if (has_time) out.counter(fmt::format("{}/time", what), "s", milliseconds, 1e-3);
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
      if (const auto bits = hexadecimal(path + "/get_throttled")) return bits;
      for (const std::string& device : tree().list(path)) {
        if (!device.ends_with("firmware")) continue;
        const auto bits = hexadecimal(fmt::format("{}/{}/get_throttled", path, device));
        if (bits) return bits;
      }
    }
    return std::nullopt;
  }

  std::optional<std::uint32_t> hexadecimal(const std::string& path) const {
    std::string text = tree().word(path);
    if (text.starts_with("0x")) text.erase(0, 2);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

  absl::Status why_nothing() const override {
    return base::unavailable(
        "no {}/cpu*/thermal_throttle and no Raspberry Pi firmware: only Intel processors (not in "
        "virtual machines) and Raspberry Pis count this",
        kCpus);
  }

  // One processor of each core and of each package: the others tell the same, and asking all of a
  // large machine would cost more than it tells. What is switched off vanishes, and comes back.
  std::vector<std::string> cores_;
  std::vector<std::string> packages_;
};

}  // namespace

std::unique_ptr<Sensor> make_throttle(const SensorOptions& options) {
  return std::make_unique<Throttle>(options);
}

}  // namespace tachostat::probe

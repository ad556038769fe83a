// Processor clocks through cpufreq (Documentation/admin-guide/pm/cpufreq.rst of the kernel).
#include <algorithm>
#include <map>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/devices/system/cpu";
// One line per policy while a person can still read them.
constexpr std::size_t kMostNamed = 16;
// Below nominal means by more than the clock's own jitter.
constexpr double kJitter = 0.02;

struct Policy {
  std::string name;
  double now = 0;  // Hz
};

class Frequency final : public FileSensor {
 public:
  explicit Frequency(const SensorOptions& options) : FileSensor("frequency", options) {
    for (const std::string& path : policies()) {
      if (const auto base = read_nominal(path)) nominal_.emplace(path, *base);
    }
  }

  std::vector<Fact> facts() const override {
    std::vector<Fact> facts;
    const auto add = [&](std::string name, const std::string& path) {
      const std::string value = tree().word(path);
      if (!value.empty()) facts.push_back({"frequency/" + std::move(name), value});
    };
    const std::vector<std::string> found = policies();
    if (!found.empty()) {
      add("driver", found.front() + "/scaling_driver");
      add("governor", found.front() + "/scaling_governor");
      add("preference", found.front() + "/energy_performance_preference");
    }
    add("no_turbo", fmt::format("{}/intel_pstate/no_turbo", kRoot));
    add("boost", fmt::format("{}/cpufreq/boost", kRoot));
    return facts;
  }

 private:
  std::vector<std::string> policies() const {
    std::vector<std::string> paths;
    for (const std::string& policy : tree().list(fmt::format("{}/cpufreq", kRoot), "policy")) {
      paths.push_back(fmt::format("{}/cpufreq/{}", kRoot, policy));
    }
    return paths;
  }

  std::optional<double> hertz(const std::string& path) const {
    const auto kilohertz = tree().number(path);
    return kilohertz && *kilohertz > 0 ? std::optional(*kilohertz * 1e3) : std::nullopt;
  }

  // The clock that the maker promises with all cores busy. Nothing where the driver does not tell.
  std::optional<double> read_nominal(const std::string& policy) const {
    if (const auto base = hertz(policy + "/base_frequency")) return base;
    const std::string number = policy.substr(policy.rfind('y') + 1);
    const auto megahertz =
        tree().number(fmt::format("{}/cpu{}/acpi_cppc/nominal_freq", kRoot, number));
    return megahertz && *megahertz > 0 ? std::optional(*megahertz * 1e6) : std::nullopt;
  }

  void scan(Scan& out) const override {
    std::vector<Policy> found;
    double allowed = 0;  // the least of the policies' caps, as a share of what they could do
    std::size_t with_nominal = 0;
    std::size_t below = 0;
    for (const std::string& path : policies()) {
      const auto now = hertz(path + "/scaling_cur_freq");
      // A clock of zero belongs to a processor that is switched off.
      if (!now || !plausible("Hz", *now)) continue;
      found.push_back({path.substr(path.rfind('/') + 1), *now});
      if (const auto base = nominal_.find(path); base != nominal_.end()) {
        ++with_nominal;
        if (*now < base->second * (1 - kJitter)) ++below;
      }
      const auto cap = hertz(path + "/scaling_max_freq");
      const auto most = hertz(path + "/cpuinfo_max_freq");
      if (cap && most) allowed = allowed == 0 ? *cap / *most : std::min(allowed, *cap / *most);
    }
    if (found.empty()) return;
    report(found, out);
    if (allowed > 0) out.level("allowed", "1", std::min(allowed, 1.0));
    if (with_nominal > 0) {
      out.level("below_nominal", "1",
                static_cast<double>(below) / static_cast<double>(with_nominal));
    }
  }

  static void report(const std::vector<Policy>& found, Scan& out) {
    double sum = 0;
    double least = found.front().now;
    double most = found.front().now;
    for (const Policy& policy : found) {
      sum += policy.now;
      least = std::min(least, policy.now);
      most = std::max(most, policy.now);
      if (found.size() <= kMostNamed) out.level(policy.name, "Hz", policy.now);
    }
    out.level("mean", "Hz", sum / static_cast<double>(found.size()));
    out.level("lowest", "Hz", least);
    out.level("highest", "Hz", most);
  }

  absl::Status why_nothing() const override {
    return base::unavailable(
        "no policies in {}/cpufreq: a virtual machine, or the firmware keeps the clocks to itself",
        kRoot);
  }

  std::map<std::string, double> nominal_;  // Hz by policy; it does not change
};

}  // namespace

std::unique_ptr<Sensor> make_frequency(const SensorOptions& options) {
  return std::make_unique<Frequency>(options);
}

}  // namespace tachostat::probe

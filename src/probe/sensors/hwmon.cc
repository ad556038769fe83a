// Chips that measure power, energy and temperature, as Documentation/hwmon/sysfs-interface.rst of
// the kernel names their files. Where a chip gives voltage and current only, as the INA3221 of a
// Jetson does, their product is the power of the rail.
#include <algorithm>
#include <map>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/class/hwmon";

// "temp12_input" is {"temp", "12", "input"}.
struct Attribute {
  std::string kind;
  std::string number;
  std::string what;
};

bool split(std::string_view file, Attribute& to) {
  const std::size_t digits = file.find_first_of("0123456789");
  const std::size_t underscore = file.find('_');
  if (digits == file.npos || underscore == file.npos || digits == 0 || underscore <= digits) {
    return false;
  }
  to = {std::string(file.substr(0, digits)), std::string(file.substr(digits, underscore - digits)),
        std::string(file.substr(underscore + 1))};
  return std::all_of(to.number.begin(), to.number.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

struct Chip {
  std::string path;
  std::string name;
};

class Hwmon final : public FileSensor {
 public:
  explicit Hwmon(const SensorOptions& options) : FileSensor("hwmon", options) {}

 private:
  // Chips of the same kind are told apart by the device they sit on: "nvme:nvme1".
  std::vector<Chip> chips() const {
    std::vector<Chip> chips;
    std::map<std::string, int> of_a_kind;
    for (const std::string& entry : tree().list(kRoot, "hwmon")) {
      const std::string path = fmt::format("{}/{}", kRoot, entry);
      std::string name = tree().word(path + "/name");
      if (name.empty()) name = entry;
      ++of_a_kind[name];
      chips.push_back({path, std::move(name)});
    }
    for (Chip& chip : chips) {
      if (of_a_kind[chip.name] < 2) continue;
      const std::string device = tree().link_end(chip.path + "/device");
      chip.name += ":" + (device.empty() ? chip.path.substr(kRoot.size() + 1) : device);
    }
    return chips;
  }

  void scan(Scan& out) const override {
    for (const Chip& chip : chips()) {
      bool has_power = false;
      for (const std::string& file : tree().list(chip.path)) {
        Attribute attribute;
        if (split(file, attribute)) has_power |= scan_attribute(chip, attribute, out);
      }
      if (!has_power && chip.name.starts_with("ina")) scan_rails(chip, out);
    }
  }

  std::string label(const Chip& chip, std::string_view kind, std::string_view number) const {
    const std::string label = tree().word(fmt::format("{}/{}{}_label", chip.path, kind, number));
    return label.empty() ? fmt::format("{}/{}{}", chip.name, kind, number)
                         : fmt::format("{}/{}", chip.name, label);
  }

  // Whether the attribute is a power.
  bool scan_attribute(const Chip& chip, const Attribute& attribute, Scan& out) const {
    const auto& [kind, number, what] = attribute;
    const std::string prefix = fmt::format("{}/{}{}_", chip.path, kind, number);
    if (kind == "temp" && what == "input") {
      // fault: the thermistor is torn off; enable: it is switched off.
      if (tree().number(prefix + "fault").value_or(0) != 0) return false;
      if (tree().number(prefix + "enable").value_or(1) == 0) return false;
      if (const auto value = tree().number(prefix + "input")) {
        out.level(label(chip, kind, number), "Cel", *value * 1e-3);
      }
    } else if (kind == "energy" && what == "input") {
      if (const auto value = tree().count(prefix + "input")) {
        out.counter(label(chip, kind, number), "J", *value, 1e-6);
      }
    } else if (kind == "power" && (what == "input" || what == "average")) {
      // Some drivers give both; the average is what a meter would show.
      if (what == "input" && tree().exists(prefix + "average")) return true;
      if (const auto value = tree().number(prefix + what)) {
        out.level(label(chip, kind, number), "W", *value * 1e-6);
      }
      return true;
    }
    return false;
  }

  void scan_rails(const Chip& chip, Scan& out) const {
    for (const std::string& file : tree().list(chip.path, "curr")) {
      Attribute attribute;
      if (!split(file, attribute) || attribute.what != "input") continue;
      const auto milliamperes = tree().number(chip.path + "/" + file);
      const auto millivolts =
          tree().number(fmt::format("{}/in{}_input", chip.path, attribute.number));
      if (milliamperes && millivolts) {
        out.level(label(chip, "in", attribute.number), "W", *milliamperes * *millivolts * 1e-6);
      }
    }
  }

  absl::Status why_nothing() const override {
    if (chips().empty()) {
      return base::unavailable(
          "no chips in {}: a virtual machine, or their drivers are not loaded (see sensors-detect "
          "of lm-sensors)",
          kRoot);
    }
    return base::unavailable("the chips in {} measure neither power nor temperature", kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_hwmon(const SensorOptions& options) {
  return std::make_unique<Hwmon>(options);
}

}  // namespace tachostat::probe

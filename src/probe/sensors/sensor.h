// What the machine tells: one small interface, one file per source. Everything is read below an
// injected root directory ("/" for the real machine), so a tree of files stands for any machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace tachostat::probe {

class PerfSystem;

struct Reading {
  enum class Kind : std::uint8_t {
    kLevel,    // as it is now: a temperature, a frequency
    kCounter,  // only grows while the sensor lives: joules, faults; wrap-around already undone
  };
  std::string name;  // source, then what and where: "rapl/package-0", "thermal/cpu-thermal"
  // UCUM: "J", "W", "Cel", "Hz", "By", "s", "1". A level of unit "1" is a share or a small number,
  // a counter of unit "1" counts events.
  std::string unit;
  Kind kind = Kind::kLevel;
  double value = 0;
};

// What a sensor tells in words: the driver, the power mode, the model of a GPU.
struct Fact {
  std::string name;  // "jetson/mode"
  std::string value;
};

// Thread-compatible: one caller. A sensor keeps what it needs to undo wrap-around.
class Sensor {
 public:
  virtual ~Sensor() = default;
  virtual std::string_view name() const = 0;  // "rapl", "cgroup", "pressure", …
  // OK, or Unavailable with the reason, so that a person knows what to change: "no
  // /sys/class/powercap: this kernel or this virtual machine has no energy counters", "…
  // energy_uj: permission denied; only root may read it since Linux 5.10".
  virtual absl::Status available() const = 0;
  // Appends what can be read now. What vanished, does not parse, or lies outside what is physically
  // possible is left out, never reported as zero; an error only when nothing can be read any more.
  virtual absl::Status read(std::vector<Reading>& out) = 0;
  // What the last read() left out because it cannot be true, each with its reason:
  // "hwmon/nvme/Composite: 65261.8 Cel is not possible".
  virtual std::vector<std::string> left_out() const { return {}; }
  virtual std::vector<Fact> facts() const { return {}; }
};

struct SensorOptions {
  std::string root = "/";  // sys, proc and dev below it
  // The process and its cgroup that are asked for; "self" is this one.
  std::string process = "self";
  // What is not a file. Unset means the machine's own when root is "/", and none otherwise.
  std::string nvml_library = "";
  PerfSystem* perf = nullptr;
};

// One of each kind, available or not, in a fixed order.
std::vector<std::unique_ptr<Sensor>> make_sensors(const SensorOptions& options);

}  // namespace tachostat::probe

// What the machine tells: one small interface, one file per source. Everything is read below an
// injected root directory ("/" for the real machine), so a tree of files stands for any machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"

namespace tachostat::probe {

struct Reading {
  enum class Kind : std::uint8_t {
    kLevel,    // as it is now: a temperature, a frequency
    kCounter,  // only grows while the sensor lives: joules, faults; wrap-around already undone
  };
  std::string name;  // source, then what and where: "rapl/package-0", "thermal/cpu-thermal"
  std::string unit;  // UCUM: "J", "W", "Cel", "Hz", "By", "s", "1" (a share or a count)
  Kind kind = Kind::kLevel;
  double value = 0;
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
};

struct SensorOptions {
  std::string root = "/";  // sys, proc and dev below it
  // The process and its cgroup that are asked for; "self" is this one.
  std::string process = "self";
};

// One of each kind, available or not, in a fixed order.
std::vector<std::unique_ptr<Sensor>> make_sensors(const SensorOptions& options);

}  // namespace tachostat::probe

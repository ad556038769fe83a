// The common ground of sensors that are files: a source says what its files hold, and here it is
// checked, counters are made to only grow, and names are made unique.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/sensors/checks.h"
#include "probe/sensors/sensor.h"
#include "probe/sensors/tree.h"

namespace tachostat::probe {

// What a source found, unchecked. Names begin without the sensor's own: "package-0".
class Scan {
 public:
  struct Item {
    std::string name;
    std::string unit;
    Reading::Kind kind = Reading::Kind::kLevel;
    double value = 0;         // of a level
    std::uint64_t count = 0;  // of a counter, in the file's unit
    double scale = 1;         // from the file's unit to `unit`
    std::uint64_t range = 0;
  };
  void level(std::string name, std::string_view unit, double value);
  void counter(std::string name, std::string_view unit, std::uint64_t count, double scale = 1,
               std::uint64_t range = 0);
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
};

class FileSensor : public Sensor {
 public:
  FileSensor(std::string name, const SensorOptions& options)
      : name_(std::move(name)), tree_(options.root), process_(options.process) {}

  std::string_view name() const override { return name_; }
  absl::Status available() const final;
  absl::Status read(std::vector<Reading>& out) final;
  std::vector<std::string> left_out() const final { return left_out_; }

 protected:
  const Tree& tree() const { return tree_; }
  // The process's folder: "/proc/self".
  std::string process_path() const { return "/proc/" + process_; }
  const std::string& process() const { return process_; }

 private:
  // Looks at the files anew each time, so that devices may come and go.
  virtual void scan(Scan& out) const = 0;
  // Why scan() found nothing; called only then.
  virtual absl::Status why_nothing() const = 0;

  std::string name_;
  Tree tree_;
  std::string process_;
  std::map<std::string, Unwrapped> counters_;
  std::vector<std::string> left_out_;
};

}  // namespace tachostat::probe

// Pressure stall information (Documentation/accounting/psi.rst of the kernel): how long some, or
// all, tasks waited for a processor, memory or input and output; of the machine and of the
// process's control group.
#include "base/status.h"
#include "probe/sensors/cgroup_place.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/proc/pressure";

class Pressure final : public FileSensor {
 public:
  explicit Pressure(const SensorOptions& options) : FileSensor("pressure", options) {}

 private:
  void scan(Scan& out) const override {
    for (const std::string_view what : {"cpu", "memory", "io", "irq"}) {
      scan_text(tree().word(fmt::format("{}/{}", kRoot, what)), std::string(what), out);
    }
    const auto place = find_cgroup(tree(), process(), "");
    // The topmost group is the machine again.
    if (!place || (place->folders.size() == 1 && place->path == "/" && !in_namespace(*place))) {
      return;
    }
    for (const std::string_view what : {"cpu", "memory", "io", "irq"}) {
      scan_text(tree().word(fmt::format("{}/{}.pressure", place->folders.front(), what)),
                fmt::format("cgroup/{}", what), out);
    }
  }

  // Only the topmost group of all has no cgroup.type.
  bool in_namespace(const CgroupPlace& place) const {
    return tree().exists(place.folders.front() + "/cgroup.type");
  }

  // "some avg10=0.14 avg60=1.07 avg300=2.24 total=7507936299", then the same for "full".
  // "full" of the processor means nothing for a machine as a whole: the kernel says 0.
  static void scan_text(std::string_view text, const std::string& name, Scan& out) {
    for (const std::string_view line : lines(text)) {
      const std::vector<std::string_view> parts = words(line);
      if (parts.empty() || (parts[0] != "some" && parts[0] != "full")) continue;
      if (name == "cpu" && parts[0] == "full") continue;
      const std::string full = fmt::format("{}/{}", name, parts[0]);
      for (const std::string_view part : parts) {
        if (part.starts_with("total=")) {
          if (const auto total = parse_count(part.substr(6))) out.counter(full, "s", *total, 1e-6);
        } else if (part.starts_with("avg10=")) {
          const auto percent = parse_number(part.substr(6));
          if (percent && *percent <= 100) out.level(full + "_10s", "1", *percent / 100);
        }
      }
    }
  }

  absl::Status why_nothing() const override {
    const std::string path = fmt::format("{}/cpu", kRoot);
    const absl::Status status = tree().text(path).status();
    if (absl::IsNotFound(status)) {
      return base::unavailable("no {}: the kernel is older than 4.20 or built without CONFIG_PSI",
                               kRoot);
    }
    if (!status.ok()) {
      return base::unavailable("{}; start the kernel with psi=1", status.message());
    }
    return base::unavailable("{}: no total in it", path);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_pressure(const SensorOptions& options) {
  return std::make_unique<Pressure>(options);
}

}  // namespace tachostat::probe

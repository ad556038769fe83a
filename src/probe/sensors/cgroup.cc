// What the process's control group gives it and how often it was held back: version 2
// (Documentation/admin-guide/cgroup-v2.rst of the kernel) and version 1 (cgroup-v1/, and
// Documentation/scheduler/sched-bwc.rst).
#include <algorithm>

#include "base/status.h"
#include "probe/sensors/cgroup_place.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

// Version 1 says "no limit" by a number near 2^63.
constexpr double kNoLimit = 0x1p60;

void take_less(std::optional<double>& least, std::optional<double> value) {
  if (value && (!least || *value < *least)) least = value;
}

class Cgroup final : public FileSensor {
 public:
  explicit Cgroup(const SensorOptions& options) : FileSensor("cgroup", options) {}

  std::vector<Fact> facts() const override {
    const auto place = find_cgroup(tree(), process(), "cpu");
    if (!place) return {};
    return {{"cgroup/version", std::to_string(place->version)}, {"cgroup/path", place->path}};
  }

 private:
  void scan(Scan& out) const override {
    if (const auto place = find_cgroup(tree(), process(), "cpu")) {
      scan_quota(*place, out);
      scan_throttling(*place, out);
      scan_usage(*place, out);
    }
    if (const auto place = find_cgroup(tree(), process(), "memory")) {
      place->version == 1 ? scan_memory_1(*place, out) : scan_memory_2(*place, out);
    }
  }

  // Cores: the least quota of the group and its ancestors. Absent when there is none.
  void scan_quota(const CgroupPlace& place, Scan& out) const {
    std::optional<double> least;
    for (const std::string& folder : place.folders) {
      std::optional<double> quota;
      std::optional<double> period;
      if (place.version == 1) {
        quota = tree().number(folder + "/cpu.cfs_quota_us");
        period = tree().number(folder + "/cpu.cfs_period_us");
      } else {
        const std::string text = tree().word(folder + "/cpu.max");  // "max 100000"
        const std::vector<std::string_view> parts = words(text);
        if (parts.size() == 2) {
          quota = parse_number(parts[0]);
          period = parse_number(parts[1]);
        }
      }
      if (quota && period && *quota > 0 && *period > 0) take_less(least, *quota / *period);
    }
    if (least) out.level("cpu/quota", "1", *least);
  }

  // A group that is held back by its ancestor's quota does not count it, so they are added up.
  void scan_throttling(const CgroupPlace& place, Scan& out) const {
    double periods = 0;
    double throttled = 0;
    double seconds = 0;
    bool found = false;
    for (const std::string& folder : place.folders) {
      const std::string text = tree().word(folder + "/cpu.stat");
      const auto of_periods = field(text, "nr_periods");
      const auto of_throttled = field(text, "nr_throttled");
      if (!of_periods || !of_throttled || *of_periods < 0 || *of_throttled < 0) continue;
      found = true;
      periods += *of_periods;
      throttled += *of_throttled;
      // Version 1 counts nanoseconds, version 2 microseconds; both of all processors together.
      const double time = place.version == 1 ? field(text, "throttled_time").value_or(0) * 1e-9
                                             : field(text, "throttled_usec").value_or(0) * 1e-6;
      seconds += std::max(time, 0.0);
    }
    if (!found) return;
    out.counter("cpu/periods", "1", static_cast<std::uint64_t>(periods));
    out.counter("cpu/throttled_periods", "1", static_cast<std::uint64_t>(throttled));
    out.counter("cpu/throttled", "s", static_cast<std::uint64_t>(seconds * 1e6), 1e-6);
  }

  void scan_usage(const CgroupPlace& place, Scan& out) const {
    if (place.version == 2) {
      const auto used = field(tree().word(place.folders.front() + "/cpu.stat"), "usage_usec");
      if (used && *used >= 0) {
        out.counter("cpu/used", "s", static_cast<std::uint64_t>(*used), 1e-6);
      }
    } else if (const auto accounting = find_cgroup(tree(), process(), "cpuacct")) {
      const auto used = tree().count(accounting->folders.front() + "/cpuacct.usage");
      if (used) out.counter("cpu/used", "s", *used, 1e-9);
    }
  }

  // What the group would have to give up before it is killed: the page cache that nobody used
  // lately does not count, as in Kubernetes.
  void report_memory(double used, std::optional<double> inactive, std::optional<double> limit,
                     Scan& out) const {
    out.level("memory/used", "By", used);
    if (inactive) out.level("memory/working_set", "By", std::max(used - *inactive, 0.0));
    if (limit && *limit < kNoLimit) out.level("memory/limit", "By", *limit);
  }

  void scan_memory_2(const CgroupPlace& place, Scan& out) const {
    const std::string& own = place.folders.front();
    std::optional<double> limit;
    std::optional<double> high;
    for (const std::string& folder : place.folders) {
      take_less(limit, tree().number(folder + "/memory.max"));  // "max" is no number
      take_less(high, tree().number(folder + "/memory.high"));
    }
    if (const auto used = tree().number(own + "/memory.current")) {
      report_memory(*used, field(tree().word(own + "/memory.stat"), "inactive_file"), limit, out);
    }
    if (high) out.level("memory/high", "By", *high);
    if (const auto swap = tree().number(own + "/memory.swap.current")) {
      out.level("memory/swap", "By", *swap);
    }
    const std::string events = tree().word(own + "/memory.events");
    const auto add = [&](std::string name, std::string_view key) {
      const auto count = field(events, key);
      if (count && *count >= 0) {
        out.counter(std::move(name), "1", static_cast<std::uint64_t>(*count));
      }
    };
    add("memory/high_hits", "high");
    add("memory/limit_hits", "max");
    add("memory/oom", "oom");
    add("memory/oom_kills", "oom_kill");
  }

  void scan_memory_1(const CgroupPlace& place, Scan& out) const {
    const std::string& own = place.folders.front();
    const std::string stat = tree().word(own + "/memory.stat");
    std::optional<double> limit = field(stat, "hierarchical_memory_limit");
    for (const std::string& folder : place.folders) {
      take_less(limit, tree().number(folder + "/memory.limit_in_bytes"));
    }
    if (const auto used = tree().number(own + "/memory.usage_in_bytes")) {
      report_memory(*used, field(stat, "total_inactive_file"), limit, out);
    }
    if (const auto hits = tree().count(own + "/memory.failcnt")) {
      out.counter("memory/limit_hits", "1", *hits);
    }
    const auto kills = field(tree().word(own + "/memory.oom_control"), "oom_kill");
    if (kills && *kills >= 0) {
      out.counter("memory/oom_kills", "1", static_cast<std::uint64_t>(*kills));
    }
  }

  absl::Status why_nothing() const override {
    const std::string cgroup = process_path() + "/cgroup";
    if (!tree().exists(cgroup)) return base::unavailable("no {}", cgroup);
    const auto place = find_cgroup(tree(), process(), "cpu");
    if (!place) {
      return base::unavailable(
          "no control group hierarchy in {}/mountinfo has the controllers cpu or memory",
          process_path());
    }
    return base::unavailable("{} tells nothing of cpu or memory", place->folders.front());
  }
};

}  // namespace

std::unique_ptr<Sensor> make_cgroup(const SensorOptions& options) {
  return std::make_unique<Cgroup>(options);
}

}  // namespace tachostat::probe

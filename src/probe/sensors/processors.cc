// What the processors that the process may use did, and what of it the process did itself
// (proc(5): /proc/stat, /proc/PID/stat, /proc/PID/status).
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/process_files.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kStat = "/proc/stat";

// Of one line of /proc/stat or of several, in the kernel's ticks.
struct Ticks {
  std::uint64_t idle = 0;    // waiting for input and output included
  std::uint64_t stolen = 0;  // the host ran somebody else
  std::uint64_t busy = 0;

  // "cpu3 user nice system idle iowait irq softirq steal guest guest_nice"; time of guests is part
  // of user time. Old kernels print fewer columns.
  static std::optional<Ticks> of(const std::vector<std::string_view>& parts) {
    std::array<std::uint64_t, 8> values{};
    if (parts.size() < 5) return std::nullopt;
    for (std::size_t i = 0; i < values.size() && i + 1 < parts.size(); ++i) {
      const auto value = parse_count(parts[i + 1]);
      if (!value) return std::nullopt;
      values[i] = *value;
    }
    return Ticks{.idle = values[3] + values[4],
                 .stolen = values[7],
                 .busy = values[0] + values[1] + values[2] + values[5] + values[6]};
  }
};

class Processors final : public FileSensor {
 public:
  explicit Processors(const SensorOptions& options) : FileSensor("processors", options) {}

 private:
  void scan(Scan& out) const override {
    const std::vector<int> allowed = allowed_list(tree().word(process_path() + "/status"));
    Ticks sum;
    int processors = 0;
    const std::string text = tree().word(kStat);
    for (const std::string_view line : lines(text)) {
      const std::vector<std::string_view> parts = words(line);
      if (parts.empty() || parts[0].size() < 4 || !parts[0].starts_with("cpu")) continue;
      const auto number = parse_count(parts[0].substr(3));
      const auto ticks = Ticks::of(parts);
      if (!number || !ticks) continue;
      if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), *number) == allowed.end()) {
        continue;
      }
      ++processors;
      sum.idle += ticks->idle;
      sum.stolen += ticks->stolen;
      sum.busy += ticks->busy;
    }
    if (processors == 0) return;
    const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    out.level("allowed", "1", processors);
    out.counter("idle", "s", sum.idle, tick);
    out.counter("stolen", "s", sum.stolen, tick);
    out.counter("busy", "s", sum.busy, tick);
    if (const auto own = own_ticks()) out.counter("own", "s", *own, tick);
  }

  // User and system time of the process, ended threads included.
  std::optional<std::uint64_t> own_ticks() const {
    const ProcessStat stat(tree().word(process_path() + "/stat"));
    const auto user = stat.field(14);
    const auto system = stat.field(15);
    if (!user || !system) return std::nullopt;
    return *user + *system;
  }

  absl::Status why_nothing() const override {
    const absl::Status status = tree().text(kStat).status();
    if (!status.ok()) return base::unavailable("{}", status.message());
    return base::unavailable("{}: no line of a processor that the process may use", kStat);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_processors(const SensorOptions& options) {
  return std::make_unique<Processors>(options);
}

}  // namespace tachostat::probe

// What the kernel's scheduler and memory did to the process (proc(5), and
// Documentation/scheduler/sched-stats.rst of the kernel).
#include <unistd.h>

#include <array>
#include <map>

#include "base/status.h"
#include "probe/sensors/process_files.h"
#include "probe/sensors/sources.h"
#include "probe/sensors/tree.h"

namespace tachostat::probe {
namespace {

// Each thread costs three small files per look; a process with more is watched in part.
constexpr std::size_t kMostThreads = 512;

// The kernel counts these per thread, and forgets a thread that ends. Their sum must not go back,
// so it is kept here: what each thread added since it was last seen.
struct ThreadCounts {
  static constexpr std::size_t kCount = 6;
  enum : std::size_t { kRun, kDelay, kSlices, kVoluntary, kInvoluntary, kMigrations };
  std::array<double, kCount> values{};
  std::array<bool, kCount> known{};

  void set(std::size_t which, std::optional<double> value) {
    if (!value || *value < 0) return;
    values[which] = *value;
    known[which] = true;
  }
};

struct Named {
  std::string_view name;
  std::string_view unit;
  double scale;
};
constexpr std::array<Named, ThreadCounts::kCount> kNames = {{
    {"run_time", "s", 1e-9},
    {"run_delay", "s", 1e-9},
    {"slices", "1", 1},
    {"voluntary_switches", "1", 1},
    {"involuntary_switches", "1", 1},
    {"migrations", "1", 1},
}};

class Scheduler final : public Sensor {
 public:
  explicit Scheduler(const SensorOptions& options)
      : tree_(options.root), proc_("/proc/" + options.process) {}

  std::string_view name() const override { return "scheduler"; }

  absl::Status available() const override {
    std::vector<Reading> found;
    return read_process(found);
  }

  absl::Status read(std::vector<Reading>& out) override {
    TS_RETURN_IF_ERROR(read_process(out));
    add_threads();
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (!sums_.known[i]) continue;
      out.push_back({.name = fmt::format("scheduler/{}", kNames[i].name),
                     .unit = std::string(kNames[i].unit),
                     .kind = Reading::Kind::kCounter,
                     .value = sums_.values[i] * kNames[i].scale});
    }
    return absl::OkStatus();
  }

 private:
  // Of the whole process, ended threads included.
  absl::Status read_process(std::vector<Reading>& out) const {
    TS_ASSIGN_OR_RETURN(std::string text, tree_.text(proc_ + "/stat"));
    const ProcessStat stat(std::move(text));
    const auto minor = stat.field(10);
    const auto major = stat.field(12);
    const auto user = stat.field(14);
    const auto system = stat.field(15);
    if (!minor || !major || !user || !system) {
      return base::unavailable("{}/stat: fewer numbers than expected", proc_);
    }
    const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto add = [&](std::string_view name, std::string_view unit, std::uint64_t value,
                         double scale, Reading::Kind kind = Reading::Kind::kCounter) {
      out.push_back({.name = fmt::format("scheduler/{}", name),
                     .unit = std::string(unit),
                     .kind = kind,
                     .value = static_cast<double>(value) * scale});
    };
    add("minor_faults", "1", *minor, 1);
    add("major_faults", "1", *major, 1);
    add("user_time", "s", *user, tick);
    add("system_time", "s", *system, tick);
    if (const auto threads = stat.field(20))
      add("threads", "1", *threads, 1, Reading::Kind::kLevel);
    return absl::OkStatus();
  }

  ThreadCounts counts_of(const std::string& thread) const {
    ThreadCounts counts;
    const std::string path = fmt::format("{}/task/{}", proc_, thread);
    const std::string statistics = tree_.word(path + "/schedstat");
    const std::vector<std::string_view> times = words(statistics);
    for (std::size_t i = 0; i < 3 && times.size() >= 3; ++i) counts.set(i, parse_number(times[i]));
    const std::string status = tree_.word(path + "/status");
    counts.set(ThreadCounts::kVoluntary, field(status, "voluntary_ctxt_switches"));
    counts.set(ThreadCounts::kInvoluntary, field(status, "nonvoluntary_ctxt_switches"));
    // Only with CONFIG_SCHED_DEBUG.
    counts.set(ThreadCounts::kMigrations, field(tree_.word(path + "/sched"), "se.nr_migrations"));
    return counts;
  }

  void add_threads() {
    std::vector<std::string> threads = tree_.list(proc_ + "/task");
    if (threads.size() > kMostThreads) threads.resize(kMostThreads);
    std::map<std::string, ThreadCounts> now;
    for (const std::string& thread : threads) {
      const ThreadCounts counts = counts_of(thread);
      const auto before = last_.find(thread);
      ThreadCounts kept = counts;
      for (std::size_t i = 0; i < ThreadCounts::kCount; ++i) {
        if (!counts.known[i]) {
          // It ended while it was being read.
          if (before != last_.end()) {
            kept.values[i] = before->second.values[i];
            kept.known[i] = before->second.known[i];
          }
          continue;
        }
        const double old = before != last_.end() ? before->second.values[i] : 0;
        // A lower count is a new thread under an old number.
        sums_.values[i] += counts.values[i] >= old ? counts.values[i] - old : counts.values[i];
        sums_.known[i] = true;
      }
      now.emplace(thread, kept);
    }
    last_ = std::move(now);
  }

  Tree tree_;
  std::string proc_;
  std::map<std::string, ThreadCounts> last_;
  ThreadCounts sums_;
};

}  // namespace

std::unique_ptr<Sensor> make_scheduler(const SensorOptions& options) {
  return std::make_unique<Scheduler>(options);
}

}  // namespace tachostat::probe

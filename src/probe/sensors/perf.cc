// The process's own counters: what all threads that begin after this sensor was made do, and the
// thread that made it. Make sensors before engines start their threads.
#include <fmt/ranges.h>
#include <linux/perf_event.h>

#include <map>

#include "base/status.h"
#include "probe/counters/events.h"
#include "probe/counters/perf_system.h"
#include "probe/sensors/sources.h"
#include "probe/sensors/tree.h"

namespace tachostat::probe {
namespace {

// Each event for itself, not in groups: inherited counters cannot be read as a group before Linux
// 6.12, and a process lives long enough for each to get its turn.
class Perf final : public Sensor {
 public:
  explicit Perf(const SensorOptions& options) {
    perf_ = options.perf;
    if (perf_ == nullptr && options.root == "/") perf_ = &system_perf();
    const auto process = options.process == "self" ? 0 : parse_count(options.process);
    if (perf_ == nullptr || !process) {
      status_ = base::unavailable("no counters were given for this root");
      return;
    }
    const Tree tree(options.root);
    open(static_cast<int>(*process), tree.word("/proc/sys/kernel/perf_event_paranoid"));
  }
  ~Perf() override {
    for (const Counter& counter : counters_) perf_->close(counter.file);
  }
  Perf(const Perf&) = delete;
  Perf& operator=(const Perf&) = delete;

  std::string_view name() const override { return "perf"; }
  absl::Status available() const override { return status_; }

  absl::Status read(std::vector<Reading>& out) override {
    TS_RETURN_IF_ERROR(status_);
    left_out_.clear();
    const std::size_t before = out.size();
    for (Counter& counter : counters_) {
      if (!advance(counter)) continue;
      out.push_back({.name = "perf/" + counter.event.name,
                     .unit = counter.event.unit,
                     .kind = Reading::Kind::kCounter,
                     .value = counter.total * counter.event.scale});
    }
    return out.size() > before ? absl::OkStatus() : base::unavailable("no counter answers");
  }

  std::vector<std::string> left_out() const override { return left_out_; }

  // What this machine does not count, and why: "cycles, instructions: this processor …".
  std::vector<Fact> facts() const override {
    std::string text;
    for (const auto& [reason, events] : refused_) {
      if (!text.empty()) text += "; ";
      text += fmt::format("{}: {}", fmt::join(events, ", "), reason);
    }
    return text.empty() ? std::vector<Fact>{} : std::vector<Fact>{{"perf/refused", text}};
  }

 private:
  struct Times {
    std::uint64_t count = 0;
    std::uint64_t enabled = 0;
    std::uint64_t running = 0;
  };
  struct Counter {
    CounterEvent event;
    int file = -1;
    Times last;
    double total = 0;
    bool has_run = false;
  };

  void open(int process, const std::string& paranoid) {
    FoundEvents found = find_events(standard_events());
    for (const RefusedEvent& event : found.refused) {
      refused_[event.reason].push_back(event.name);
    }
    for (CounterEvent& event : found.events) {
      perf_event_attr attr = attribute_of(event);
      attr.inherit = 1;
      attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
      const int file = perf_->open(attr, process, -1, -1);
      if (file >= 0) {
        counters_.push_back({.event = std::move(event), .file = file, .last = {}});
        continue;
      }
      const std::string reason = explain_perf_error(-file, paranoid);
      refused_[reason].push_back(event.name);
      if (status_.ok()) status_ = base::unavailable("{}: {}", event.name, reason);
    }
    if (!counters_.empty()) status_ = absl::OkStatus();
  }

  // Adds what was counted since the last look, scaled for the turns it had to take. False while it
  // has never had a turn.
  bool advance(Counter& counter) {
    Times now;
    if (perf_->read(counter.file, &now, sizeof now) != sizeof now) return false;
    const Times& last = counter.last;
    if (now.count < last.count || now.enabled < last.enabled || now.running < last.running) {
      left_out_.push_back(fmt::format("perf/{}: went back from {} to {}", counter.event.name,
                                      last.count, now.count));
      counter.last = now;
      return false;
    }
    const auto enabled = static_cast<double>(now.enabled - last.enabled);
    const auto running = static_cast<double>(now.running - last.running);
    if (running > 0) {
      counter.total +=
          static_cast<double>(now.count - last.count) * (running < enabled ? enabled / running : 1);
      counter.has_run = true;
      counter.last = now;
    }
    return counter.has_run;
  }

  PerfSystem* perf_ = nullptr;
  absl::Status status_;
  std::vector<Counter> counters_;
  std::map<std::string, std::vector<std::string>> refused_;  // events by reason
  std::vector<std::string> left_out_;
};

}  // namespace

std::unique_ptr<Sensor> make_perf(const SensorOptions& options) {
  return std::make_unique<Perf>(options);
}

}  // namespace tachostat::probe

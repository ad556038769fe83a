// Several counters of one thread, read together.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "probe/counters/events.h"
#include "probe/counters/perf_system.h"

namespace tachostat::probe {

// Raw counts at a moment, or the difference of two moments, or the sum of such differences. What
// does not fit the processor's registers at once takes turns ("multiplexed"), a group at a time: a
// group counted for `running` of the `enabled` nanoseconds.
struct CounterSample {
  static constexpr std::size_t kMostEvents = 20;
  static constexpr std::size_t kMostGroups = 8;
  std::array<std::uint64_t, kMostEvents> raw{};
  std::array<std::uint64_t, kMostGroups> enabled{};
  std::array<std::uint64_t, kMostGroups> running{};
  // Of a difference or a sum: how many differences a group has no part in, because one of its
  // counters went back.
  std::array<std::uint32_t, kMostGroups> lost{};

  void add(const CounterSample& difference);
};

// Opened for one thread. read() may be called by any one thread at a time, and is cheapest on the
// counted one: one system call per group, no allocation. difference() and value() are pure.
class CounterGroup {
 public:
  struct Options {
    int thread = 0;  // kernel thread id; 0: the calling thread
    // Hardware counters per group. Four fit every processor of the last ten years beside the
    // kernel's own watchdog; a group that does not fit never runs.
    std::size_t group_size = 4;
    std::string paranoid = {};  // for the reasons, see explain_perf_error()
  };
  // Opens what can be opened; refused() has the rest with reasons. Software events make a group of
  // their own, so that they never take turns. Unavailable only when nothing could be opened, with
  // the first reason.
  static absl::StatusOr<std::unique_ptr<CounterGroup>> Create(PerfSystem& perf,
                                                              std::span<const CounterEvent> events,
                                                              const Options& options);
  ~CounterGroup();
  CounterGroup(const CounterGroup&) = delete;
  CounterGroup& operator=(const CounterGroup&) = delete;

  // Those that were opened, in the order of CounterSample::raw.
  std::span<const CounterEvent> events() const { return events_; }
  std::span<const RefusedEvent> refused() const { return refused_; }
  std::size_t groups() const { return groups_.size(); }

  // False when the kernel does not answer in full; `to` is then of no use.
  bool read(CounterSample& to) const noexcept;
  CounterSample difference(const CounterSample& begin, const CounterSample& end) const noexcept;
  // What event `index` counted, in its unit, scaled up to the whole time; of a difference or a
  // sum. NaN when its group did not run: unknown, not zero.
  double value(const CounterSample& difference, std::size_t index) const noexcept;
  // The same per difference, of a sum of `count` differences.
  double mean(const CounterSample& sum, std::size_t index, std::uint64_t count) const noexcept;

 private:
  struct Group {
    std::vector<int> files;           // the leader first
    std::vector<std::size_t> events;  // indices into events_, by file
  };
  explicit CounterGroup(PerfSystem& perf) : perf_(perf) {}
  void open(const CounterEvent& event, const Options& options);
  bool join(Group& group, const CounterEvent& event, const Options& options, int& error);

  PerfSystem& perf_;
  std::vector<CounterEvent> events_;
  std::vector<std::size_t> group_of_;  // by event
  std::vector<Group> groups_;
  std::vector<RefusedEvent> refused_;
};

}  // namespace tachostat::probe

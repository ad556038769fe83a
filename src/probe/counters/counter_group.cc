#include "probe/counters/counter_group.h"

#include <linux/perf_event.h>

#include <cerrno>
#include <cmath>
#include <limits>

#include "base/status.h"

namespace tachostat::probe {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

perf_event_attr grouped(const CounterEvent& event) {
  perf_event_attr attr = attribute_of(event);
  attr.read_format =
      PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return attr;
}

}  // namespace

void CounterSample::add(const CounterSample& difference) {
  for (std::size_t i = 0; i < kMostEvents; ++i) raw[i] += difference.raw[i];
  for (std::size_t i = 0; i < kMostGroups; ++i) {
    enabled[i] += difference.enabled[i];
    running[i] += difference.running[i];
    lost[i] += difference.lost[i];
  }
}

absl::StatusOr<std::unique_ptr<CounterGroup>> CounterGroup::Create(
    PerfSystem& perf, std::span<const CounterEvent> events, const Options& options) {
  std::unique_ptr<CounterGroup> group(new CounterGroup(perf));
  for (const CounterEvent& event : events) {
    if (event.type == PERF_TYPE_SOFTWARE) group->open(event, options);
  }
  for (const CounterEvent& event : events) {
    if (event.type != PERF_TYPE_SOFTWARE) group->open(event, options);
  }
  if (!group->events_.empty()) return group;
  if (group->refused_.empty()) return base::invalid_argument("no events to count");
  const RefusedEvent& first = group->refused_.front();
  return base::unavailable("{}: {}", first.name, first.reason);
}

CounterGroup::~CounterGroup() {
  for (const Group& group : groups_) {
    // Members before their leader.
    for (auto file = group.files.rbegin(); file != group.files.rend(); ++file) perf_.close(*file);
  }
}

bool CounterGroup::join(Group& group, const CounterEvent& event, const Options& options,
                        int& error) {
  const int leader = group.files.empty() ? -1 : group.files.front();
  const int file = perf_.open(grouped(event), options.thread, -1, leader);
  if (file < 0) {
    error = -file;
    return false;
  }
  group.files.push_back(file);
  group.events.push_back(events_.size());
  return true;
}

// Into the newest group of its sort where it fits there, else into a new one.
void CounterGroup::open(const CounterEvent& event, const Options& options) {
  const auto refuse = [&](std::string reason) {
    refused_.push_back({event.name, std::move(reason)});
  };
  if (events_.size() == CounterSample::kMostEvents) {
    return refuse(fmt::format("more than {} counters at once", CounterSample::kMostEvents));
  }
  const bool is_software = event.type == PERF_TYPE_SOFTWARE;
  bool joined = false;
  int error = 0;
  if (!groups_.empty()) {
    Group& newest = groups_.back();
    const bool of_its_sort =
        (events_[newest.events.front()].type == PERF_TYPE_SOFTWARE) == is_software;
    if (of_its_sort && (is_software || newest.files.size() < options.group_size)) {
      joined = join(newest, event, options, error);
      // EINVAL: together they do not fit the processor.
      if (!joined && error != EINVAL && error != ENOSPC) {
        return refuse(explain_perf_error(error, options.paranoid));
      }
    }
  }
  if (!joined) {
    if (groups_.size() == CounterSample::kMostGroups) {
      return refuse(fmt::format("more than {} groups of counters", CounterSample::kMostGroups));
    }
    Group group;
    if (!join(group, event, options, error)) {
      return refuse(explain_perf_error(error, options.paranoid));
    }
    groups_.push_back(std::move(group));
  }
  group_of_.push_back(groups_.size() - 1);
  events_.push_back(event);
}

bool CounterGroup::read(CounterSample& to) const noexcept {
  // Number of members, time enabled, time running, then the members' counts.
  std::array<std::uint64_t, 3 + CounterSample::kMostEvents> buffer{};
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const std::size_t size = (3 + group.files.size()) * sizeof(std::uint64_t);
    const long got = perf_.read(group.files.front(), buffer.data(), size);
    if (got != static_cast<long>(size) || buffer[0] != group.files.size()) return false;
    to.enabled[g] = buffer[1];
    to.running[g] = buffer[2];
    for (std::size_t i = 0; i < group.events.size(); ++i) to.raw[group.events[i]] = buffer[3 + i];
  }
  return true;
}

CounterSample CounterGroup::difference(const CounterSample& begin,
                                       const CounterSample& end) const noexcept {
  CounterSample difference;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    bool went_back = end.enabled[g] < begin.enabled[g] || end.running[g] < begin.running[g];
    for (const std::size_t event : groups_[g].events)
      went_back |= end.raw[event] < begin.raw[event];
    if (went_back) {
      difference.lost[g] = 1;
      continue;
    }
    difference.enabled[g] = end.enabled[g] - begin.enabled[g];
    difference.running[g] = end.running[g] - begin.running[g];
    for (const std::size_t event : groups_[g].events) {
      difference.raw[event] = end.raw[event] - begin.raw[event];
    }
  }
  return difference;
}

double CounterGroup::value(const CounterSample& difference, std::size_t index) const noexcept {
  const std::size_t group = group_of_[index];
  const auto enabled = static_cast<double>(difference.enabled[group]);
  const auto running = static_cast<double>(difference.running[group]);
  if (running <= 0) return kUnknown;
  // The kernel reads its two clocks one after the other: running may be a little more.
  const double turns = running < enabled ? enabled / running : 1;
  return static_cast<double>(difference.raw[index]) * turns * events_[index].scale;
}

double CounterGroup::mean(const CounterSample& sum, std::size_t index,
                          std::uint64_t count) const noexcept {
  const std::uint64_t lost = sum.lost[group_of_[index]];
  return count > lost ? value(sum, index) / static_cast<double>(count - lost) : kUnknown;
}

}  // namespace tachostat::probe

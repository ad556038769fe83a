// A kernel with counters as a test scripts them.
#pragma once

#include <linux/perf_event.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "probe/counters/perf_system.h"

namespace tachostat::probe {

// Thread-compatible.
class FakePerf final : public PerfSystem {
 public:
  using Event = std::pair<std::uint32_t, std::uint64_t>;  // type, config

  // Every event there is, with its count now. Opening another gives `error`.
  std::map<Event, std::uint64_t> counts;
  std::map<Event, int> errors;
  int error = ENOENT;
  // Events per group of hardware counters that fit; more gives EINVAL.
  std::size_t registers = 8;
  // Of each group's leader; counting events run all the time unless told otherwise.
  std::map<Event, std::pair<std::uint64_t, std::uint64_t>> times;  // enabled, running
  std::uint64_t time = 0;
  bool reads_fail = false;

  std::set<int> open_files;
  std::vector<perf_event_attr> opened;

  int open(const perf_event_attr& event, int /*thread*/, int /*cpu*/, int group) override {
    const Event key(event.type, event.config);
    if (const auto refused = errors.find(key); refused != errors.end()) return -refused->second;
    if (counts.find(key) == counts.end()) return -error;
    if (group >= 0 && event.type != PERF_TYPE_SOFTWARE && groups_[group].size() >= registers) {
      return -EINVAL;
    }
    const int file = next_++;
    groups_[group >= 0 ? group : file].push_back(key);
    grouped_[file] = (event.read_format & PERF_FORMAT_GROUP) != 0;
    open_files.insert(file);
    opened.push_back(event);
    return file;
  }

  long read(int file, void* to, std::size_t size) override {
    if (reads_fail) return -EIO;
    const std::vector<Event>& group = groups_[file];
    const auto at = times.find(group.front());
    const auto [enabled, running] = at == times.end() ? std::pair(time, time) : at->second;
    std::vector<std::uint64_t> words;
    if (grouped_[file]) {
      words = {group.size(), enabled, running};
      for (const Event& event : group) words.push_back(counts[event]);
    } else {
      words = {counts[group.front()], enabled, running};
    }
    const std::size_t bytes = words.size() * sizeof(std::uint64_t);
    if (bytes > size) return -ENOSPC;
    std::memcpy(to, words.data(), bytes);
    return static_cast<long>(bytes);
  }

  void close(int file) override { open_files.erase(file); }

 private:
  int next_ = 10;
  std::map<int, std::vector<Event>> groups_;
  std::map<int, bool> grouped_;
};

}  // namespace tachostat::probe

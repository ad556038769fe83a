// What recorded programs tell besides nested tasks: spans that begin on one thread and end on
// another, counters, moments, threads' names. Only used while a process is recorded; each call
// takes a lock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "trace/trace.h"

namespace tachostat::probe::itt {

// Thread-safe. One for the process, never destroyed.
class Annotations {
 public:
  // Beyond it what comes is dropped and counted, until the next drain.
  static constexpr std::size_t kMost = 1 << 18;

  static Annotations& instance();

  // `key` tells apart those that are open at once; a second begin of the same key forgets the
  // first.
  using Key = std::tuple<const void*, std::uint64_t, std::uint64_t>;
  void begin(const Key& key, std::string_view line, std::uint32_t name, trace::Kind kind,
             std::uint64_t now_ns);
  void end(const Key& key, std::uint64_t now_ns);
  // Something without a duration, on the calling thread.
  void moment(std::uint32_t name, std::uint64_t now_ns);
  void name_thread(std::uint32_t thread, std::string name);

  // The counter's number. Equal names are one counter.
  std::uint32_t counter(const std::string& name);
  void add(std::uint32_t counter, double step, std::uint64_t now_ns);
  void set(std::uint32_t counter, double value, std::uint64_t now_ns);

  struct Point {
    std::uint64_t time_ns;
    double value;
    std::uint32_t counter;
  };
  struct Drained {
    std::vector<trace::Span>
        spans;  // names by the registry's number; threads from kLines on: lines
    std::vector<std::pair<std::uint32_t, std::string>> threads;
    std::vector<std::pair<std::uint32_t, std::string>> counters;  // new ones
    std::vector<Point> points;
    std::uint64_t dropped = 0;
  };
  Drained drain();

  // Around a fork.
  void lock() TS_NO_ANALYSIS { mutex_.lock(); }
  void unlock() TS_NO_ANALYSIS { mutex_.unlock(); }
  // In the child, while locked: what is pending is the parent's to write.
  void forget() TS_NO_ANALYSIS;

 private:
  struct Open {
    trace::Span span;
    std::string line;
  };
  std::uint32_t place_on(const std::string& line) TS_REQUIRES(mutex_);
  bool has_room() TS_REQUIRES(mutex_);

  base::Mutex mutex_;
  std::map<Key, Open> open_ TS_GUARDED_BY(mutex_);
  // Of each line, what is taken by an open span: spans of one line in a viewer must not overlap.
  std::map<std::string, std::vector<std::pair<std::uint32_t, bool>>, std::less<>> lines_
      TS_GUARDED_BY(mutex_);
  std::uint32_t next_line_ TS_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, std::uint32_t> numbers_ TS_GUARDED_BY(mutex_);
  std::vector<double> values_ TS_GUARDED_BY(mutex_);  // by counter
  Drained pending_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::probe::itt

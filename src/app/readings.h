// What the machine's sensors said while a profile was taken, as readings of that profile
// (docs/design/profile-format.md, Readings).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "probe/sensors/poller.h"
#include "profile/profile.h"

namespace tachostat::app {

using Readings = std::map<std::string, profile::Reading>;

// A value that was read more than once.
struct Spread {
  double sum = 0;     // of value × weight
  double weight = 0;  // a count, seconds, requests
  double low = 0;
  double high = 0;
  std::uint64_t n = 0;

  void add(double value, double by = 1);
  void add(const Spread& other);
  double mean() const { return weight > 0 ? sum / weight : 0; }
  // Every figure times `scale`, and at most `most`.
  profile::Reading reading(std::string unit, double scale = 1, double most = 1e300) const;
};
// One figure that stands for `n`.
profile::Reading reading_of(double value, std::string unit, std::uint64_t n = 1);

// A stretch of time, seen through snapshots of the sensors. Thread-compatible.
class SensorStretch {
 public:
  // Shares of less time than this would be those of a few of the kernel's ticks.
  static constexpr base::Duration kLeast = std::chrono::milliseconds(100);

  // In order of time; the same snapshot again is ignored. `requests` are those answered so far, a
  // total. Levels are taken as they are, counters from the second look on.
  void look(const probe::SensorSnapshot& snapshot, std::uint64_t requests);
  // The stretch that begins where this one ends, with nothing in it yet.
  SensorStretch next() const;
  // What the other saw too; it is not to be looked through any more.
  void add(const SensorStretch& other);

  double seconds() const { return seconds_; }
  bool is_new(const probe::SensorSnapshot& snapshot) const { return snapshot.polls > polls_; }

  // Under the sensors' names, and what follows from them. `threads`: most of the process's that
  // compute at once.
  void fill(int threads, Readings& readings) const;

 private:
  struct Seen {
    Spread spread;
    std::string unit;
    bool is_rate = false;
  };
  void look(const probe::SensorStatus::Value& value, double seconds);
  // Growth of a counter over the stretch; -1: not told.
  double growth(std::string_view name) const;
  void fill_shares(Readings& readings) const;
  void fill_process(Readings& readings) const;
  void fill_budget(Readings& readings) const;
  void correct_throttled(int threads, Readings& readings) const;

  std::map<std::string, Seen, std::less<>> seen_;
  double seconds_ = 0;  // between looks
  std::uint64_t looks_ = 0;
  std::uint64_t requests_ = 0;  // answered between looks
  std::uint64_t polls_ = 0;     // of the last look, as the time and the total below
  base::Time at_{};
  std::uint64_t total_requests_ = 0;
};

}  // namespace tachostat::app

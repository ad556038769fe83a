// Time, injected. Whatever decides takes a Clock&; only app/ makes a SystemClock.
#pragma once

#include <chrono>
#include <string>

#include "base/mutex.h"

namespace tachostat::base {

using Duration = std::chrono::nanoseconds;

// Monotonic time since an arbitrary origin. Spans, deadlines and decisions all use this one axis,
// which on Linux is CLOCK_MONOTONIC.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Time now() const = 0;

  // Nanoseconds since the Unix epoch, for people and files only; never subtract two of them.
  virtual std::chrono::nanoseconds unix_time() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::nanoseconds unix_time() const override {
    return std::chrono::system_clock::now().time_since_epoch();
  }
};

// A clock that moves only when told to: for tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = Time(std::chrono::seconds(1000))) : now_(start) {}

  Time now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  std::chrono::nanoseconds unix_time() const override { return now().time_since_epoch(); }

  void advance(Duration by) {
    MutexLock lock(mutex_);
    now_ += by;
  }
  void set(Time to) {
    MutexLock lock(mutex_);
    now_ = to;
  }

 private:
  mutable Mutex mutex_;
  Time now_ TS_GUARDED_BY(mutex_);
};

inline double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
inline double to_milliseconds(Duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}
inline Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// RFC 3339 in UTC with milliseconds, e.g. "2026-11-23T20:22:08.125Z".
std::string format_unix_time(std::chrono::nanoseconds since_epoch);

}  // namespace tachostat::base

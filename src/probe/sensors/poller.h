// Asks all sensors now and then, and keeps what they said: the latest words, and some history.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "probe/sensors/sensor.h"
#include "trace/trace.h"

namespace tachostat::probe {

// What one sensor said last.
struct SensorStatus {
  struct Value {
    Reading reading;
    // Of a counter, per second since the look before: J become W, s become a share, what is
    // counted becomes 1/s. Nothing at the first look, and when the counter is not believed.
    std::optional<double> rate;
    std::string rate_unit;
    // Why it is not believed though it may be true: "has not moved for 62 s".
    std::string doubt;
  };
  std::string name;
  absl::Status available;     // with the reason when not
  absl::Status last_read;     // the last attempt's
  std::vector<Value> values;  // empty when the last read failed
  std::vector<Fact> facts;
  std::vector<std::string> left_out;
};

struct SensorSnapshot {
  base::Time at;
  std::chrono::nanoseconds unix_time{0};
  std::uint64_t polls = 0;
  std::vector<SensorStatus> sensors;  // in the order of make_sensors()
};

struct SensorPollerOptions {
  base::Duration period = std::chrono::seconds(1);
  // Points kept per track; older ones go.
  std::size_t history = 600;
  // Tracks kept; what appears beyond that is in the snapshot only. Bounds memory against a source
  // that invents names.
  std::size_t tracks = 2048;
  // An unavailable sensor is asked again, and an available one for its facts, this often.
  base::Duration retry = std::chrono::seconds(30);
  // An energy counter or a power that shows the same for this long is doubted.
  base::Duration stuck = std::chrono::seconds(60);
};

// Owns no thread. poll() and due() belong to one thread at a time; snapshot() and tracks() may be
// called from any.
class SensorPoller {
 public:
  SensorPoller(const base::Clock& clock, std::vector<std::unique_ptr<Sensor>> sensors,
               SensorPollerOptions options);

  // Reads everything if the period has passed since the last time; false when it has not.
  // Takes as long as the slowest drivers do, milliseconds in all.
  bool poll();
  // When poll() will next do something.
  base::Time due() const { return due_; }

  // Never null; without sensors' words before the first poll().
  std::shared_ptr<const SensorSnapshot> snapshot() const;
  // Levels as they are and counters as rates, by name, points at `since` or later only.
  std::vector<trace::CounterTrack> tracks(base::Time since = {}) const;

 private:
  struct Past {
    double value = 0;
    base::Time at;
    base::Time moved;  // when it last changed
  };
  struct Watched {
    std::unique_ptr<Sensor> sensor;
    base::Time asked;  // for availability or facts
    std::map<std::string, Past> past;
  };
  void read(Watched& watched, SensorStatus& status, base::Time now);
  void derive(SensorStatus::Value& value, Past& past, bool is_new, base::Time now,
              std::vector<std::string>& left_out) const;
  void record(const SensorSnapshot& snapshot);

  const base::Clock& clock_;
  const SensorPollerOptions options_;
  std::vector<Watched> watched_;
  base::Time due_;

  mutable base::Mutex mutex_;
  std::shared_ptr<const SensorSnapshot> snapshot_ TS_GUARDED_BY(mutex_);
  std::map<std::string, trace::CounterTrack> tracks_ TS_GUARDED_BY(mutex_);
};

// The value of that name, whichever sensor tells it; null when none does. It lives as long as the
// snapshot.
const SensorStatus::Value* find(const SensorSnapshot& snapshot, std::string_view name);

// An object as `tachostat machine --json` and the server show it (docs/design/sensors.md).
std::string to_json(const SensorSnapshot& snapshot);
// For people: a line per sensor, and one per value below it.
std::string to_text(const SensorSnapshot& snapshot);

}  // namespace tachostat::probe

// Asks the machine's sensors now and then, on a thread of its own.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "probe/sensors/poller.h"
#include "trace/trace.h"

namespace tachostat::app {

// Thread-safe.
class Sensing {
 public:
  // Sensors that count threads count those that are started after this.
  Sensing(const base::Clock& clock, const probe::SensorOptions& sensors,
          probe::SensorPollerOptions options = {});
  ~Sensing();

  std::shared_ptr<const probe::SensorSnapshot> snapshot() const { return poller_.snapshot(); }
  // Points of the stretch that the spans of `trace` cover, and a little around it.
  void add_tracks(trace::Trace& trace) const;

 private:
  void run(const std::stop_token& stop);

  const probe::SensorPollerOptions options_;
  probe::SensorPoller poller_;
  std::jthread thread_;
};

}  // namespace tachostat::app

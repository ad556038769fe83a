// The readings of a served model's profiles: how requests reach it, the machine, the process.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "app/cold_shapes.h"
#include "app/readings.h"
#include "app/serving_window.h"
#include "app/traffic.h"
#include "app/two_windows.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "engine/engine.h"
#include "probe/sensors/poller.h"
#include "profile/profile.h"
#include "schedule/schedule.h"
#include "serve/serve.h"

namespace tachostat::app {

// Thread-safe. Of the last one to two minutes, but for what a session's first requests cost.
class LiveReadings {
 public:
  // All must outlive it. The scheduler is made after its callbacks are, hence a reference to its
  // place.
  LiveReadings(const base::Clock& clock, const model::Graph& graph, const RecentInputs& inputs,
               const schedule::Scheduler* const& scheduler);

  void answered(const schedule::Answered& answered) { serving_.answered(answered); }
  void wired(const serve::Wired& wired) { serving_.wired(wired); }
  ColdShapes& shapes() { return shapes_; }
  // Called often; looks only at a snapshot that is new.
  void look(const probe::SensorSnapshot& snapshot);

  void add_session(const engine::Session& session);
  void forget(const engine::Session& session);

  // What is known; readings that the profile has already stay.
  void fill(profile::Profile& profile) const;

 private:
  void fill_shapes(const std::string& variant, Readings& readings) const;

  const RecentInputs& inputs_;
  const schedule::Scheduler* const& scheduler_;
  ColdShapes shapes_;
  ServingWindow serving_;
  mutable base::Mutex mutex_;
  TwoWindows<SensorStretch> sensors_ TS_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> sessions_ TS_GUARDED_BY(mutex_);  // by variant
};

}  // namespace tachostat::app

// Windows over live traffic, filled by engine threads and read by the governor. Also which shapes
// requests have, and copies of a few recent requests for comparing variants on real inputs (kept in
// memory only, never stored).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "app/input_values.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "engine/engine.h"
#include "govern/govern.h"
#include "govern/observed_traffic.h"
#include "model/model.h"
#include "schedule/schedule.h"

namespace tachostat::app {

// Thread-safe. Each take() starts a new window.
class TrafficWindow {
 public:
  TrafficWindow(base::Clock& clock, const schedule::Scheduler* const& scheduler);

  void answered(const schedule::Answered& answered);
  govern::Observation take();

 private:
  base::Clock& clock_;
  // The scheduler is made after its callbacks are, hence a reference to its place.
  const schedule::Scheduler* const& scheduler_;
  base::Mutex mutex_;
  govern::ObservedTraffic traffic_ TS_GUARDED_BY(mutex_);
};

// Thread-safe. Copies at most one request per `interval`, so that its cost on the request path is
// bounded.
class RecentInputs {
 public:
  static constexpr std::size_t kKept = 16;
  static constexpr std::size_t kMaxBytes = 16u << 20;  // a larger request is not copied
  static constexpr std::size_t kMaxShapes = 32;  // distinct shapes counted; rarer ones are dropped

  RecentInputs(base::Clock& clock, base::Duration interval) : clock_(clock), interval_(interval) {}

  void seen(const std::vector<engine::Tensor>& inputs);

  // Newest first. `shapes` non-empty: only requests with exactly these shapes.
  std::vector<std::vector<engine::Tensor>> recent(const model::InputShapes& shapes) const;
  // Most frequent first, with their share of all requests seen; the past fades (halved every 1,000
  // requests).
  std::vector<std::pair<model::InputShapes, double>> shapes() const;
  // What is known of the values of requests, one an interval.
  void fill_values(Readings& readings) const;
  // Requests behind those shares; fades with them.
  std::uint64_t counted() const;

 private:
  bool due() TS_REQUIRES(mutex_);

  base::Clock& clock_;
  const base::Duration interval_;
  mutable base::Mutex mutex_;
  std::vector<std::vector<engine::Tensor>> kept_ TS_GUARDED_BY(mutex_);  // a ring
  std::size_t next_ TS_GUARDED_BY(mutex_) = 0;
  base::Time last_ TS_GUARDED_BY(mutex_){};
  InputValues values_ TS_GUARDED_BY(mutex_);
  std::vector<std::pair<model::InputShapes, double>> counts_ TS_GUARDED_BY(mutex_);
  double total_ TS_GUARDED_BY(mutex_) = 0;
};

// The shapes of one request's inputs.
model::InputShapes shapes_of(const std::vector<engine::Tensor>& inputs);

}  // namespace tachostat::app

#include "app/live_readings.h"

namespace tachostat::app {

LiveReadings::LiveReadings(const base::Clock& clock, const model::Graph& graph,
                           const RecentInputs& inputs, const schedule::Scheduler* const& scheduler)
    : inputs_(inputs), scheduler_(scheduler), serving_(clock, graph) {}

void LiveReadings::look(const probe::SensorSnapshot& snapshot) {
  base::MutexLock lock(mutex_);
  if (!sensors_.now().is_new(snapshot)) return;
  const schedule::Statistics statistics = scheduler_->statistics();
  sensors_.now().look(snapshot, statistics.succeeded + statistics.failed);
  if (sensors_.now().seconds() < base::to_seconds(ServingWindow::kLength)) return;
  sensors_.turn(sensors_.now().next());
}

void LiveReadings::add_session(const engine::Session& session) {
  base::MutexLock lock(mutex_);
  sessions_[session.variant().id()] = session.number();
}

void LiveReadings::forget(const engine::Session& session) {
  {
    base::MutexLock lock(mutex_);
    sessions_.erase(session.variant().id());
  }
  shapes_.forget(session.number());
}

void LiveReadings::fill(profile::Profile& profile) const {
  Readings readings;
  {
    base::MutexLock lock(mutex_);
    sensors_.both([](const SensorStretch& newer, SensorStretch& to) { to.add(newer); })
        .fill(profile.threads * profile.streams, readings);
  }
  serving_.fill(profile.variant, profile.streams, readings);
  if (const model::PlanPtr plan = scheduler_->plan()) {
    readings["serving/batch_limit"] = reading_of(plan->max_batch, "1");
  }
  fill_shapes(profile.variant, readings);
  inputs_.fill_values(readings);
  profile.readings.merge(readings);
}

void LiveReadings::fill_shapes(const std::string& variant, Readings& readings) const {
  const auto shapes = inputs_.shapes();
  const std::uint64_t counted = inputs_.counted();
  for (const auto& [shape, share] : shapes) {
    readings["shape/" + model::to_string(shape)] = reading_of(share, "1", counted);
  }
  if (!shapes.empty()) {
    readings["serving/shapes"] = reading_of(static_cast<double>(shapes.size()), "1", counted);
  }
  std::uint64_t session = 0;
  {
    base::MutexLock lock(mutex_);
    const auto found = sessions_.find(variant);
    if (found == sessions_.end()) return;
    session = found->second;
  }
  const ColdShapes::Cost cost = shapes_.cost(session);
  if (cost.shapes == 0) return;
  readings["serving/cold_share"] = reading_of(cost.share, "1", cost.requests);
  readings["serving/cold_factor"] = reading_of(cost.factor, "1", cost.shapes);
}

}  // namespace tachostat::app

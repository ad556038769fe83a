#include "app/readings.h"

#include <algorithm>

namespace tachostat::app {

void Spread::add(double value, double by) {
  low = n == 0 ? value : std::min(low, value);
  high = n == 0 ? value : std::max(high, value);
  sum += value * by;
  weight += by;
  ++n;
}

void Spread::add(const Spread& other) {
  if (other.n == 0) return;
  low = n == 0 ? other.low : std::min(low, other.low);
  high = n == 0 ? other.high : std::max(high, other.high);
  sum += other.sum;
  weight += other.weight;
  n += other.n;
}

profile::Reading Spread::reading(std::string unit, double scale, double most) const {
  return {.mean = std::min(mean() * scale, most),
          .low = std::min(low * scale, most),
          .high = std::min(high * scale, most),
          .n = n,
          .unit = std::move(unit)};
}

profile::Reading reading_of(double value, std::string unit, std::uint64_t n) {
  return {.mean = value, .low = value, .high = value, .n = n, .unit = std::move(unit)};
}

void SensorStretch::look(const probe::SensorSnapshot& snapshot, std::uint64_t requests) {
  if (!is_new(snapshot)) return;
  const double seconds = polls_ == 0 ? 0 : base::to_seconds(snapshot.at - at_);
  for (const probe::SensorStatus& sensor : snapshot.sensors) {
    if (!sensor.available.ok() || !sensor.last_read.ok()) continue;
    for (const probe::SensorStatus::Value& value : sensor.values) look(value, seconds);
  }
  if (polls_ != 0) {
    seconds_ += seconds;
    requests_ += requests - std::min(requests, total_requests_);
  }
  ++looks_;
  polls_ = snapshot.polls;
  at_ = snapshot.at;
  total_requests_ = requests;
}

void SensorStretch::look(const probe::SensorStatus::Value& value, double seconds) {
  const bool is_rate = value.reading.kind == probe::Reading::Kind::kCounter;
  if (!value.doubt.empty()) return;
  if (is_rate && (!value.rate || seconds <= 0)) return;
  const auto [at, is_new] = seen_.try_emplace(value.reading.name);
  if (is_new) {
    at->second.unit = is_rate ? value.rate_unit : value.reading.unit;
    at->second.is_rate = is_rate;
  }
  // Looks may lie further apart than polls; the last rate then stands for all of them.
  at->second.spread.add(is_rate ? *value.rate : value.reading.value, is_rate ? seconds : 1);
}

SensorStretch SensorStretch::next() const {
  SensorStretch stretch;
  stretch.polls_ = polls_;
  stretch.at_ = at_;
  stretch.total_requests_ = total_requests_;
  return stretch;
}

void SensorStretch::add(const SensorStretch& other) {
  for (const auto& [name, seen] : other.seen_) {
    const auto [at, is_new] = seen_.try_emplace(name, seen);
    if (!is_new) at->second.spread.add(seen.spread);
  }
  seconds_ += other.seconds_;
  looks_ += other.looks_;
  requests_ += other.requests_;
}

double SensorStretch::growth(std::string_view name) const {
  const auto found = seen_.find(name);
  return found == seen_.end() || !found->second.is_rate ? -1 : found->second.spread.sum;
}

// The cgroup's limit is what the user allows; without one, what the machine has.
void SensorStretch::fill_budget(Readings& readings) const {
  const auto limit = seen_.find("cgroup/memory/limit");
  if (limit != seen_.end()) {
    readings["memory/budget"] = limit->second.spread.reading("By");
    return;
  }
  double total = 0;
  std::uint64_t n = 0;
  for (const auto& [name, seen] : seen_) {
    if (!name.starts_with("numa/") || !name.ends_with("/total")) continue;
    total += seen.spread.mean();
    n = seen.spread.n;
  }
  if (total > 0) readings["memory/budget"] = reading_of(total, "By", n);
}

void SensorStretch::fill(int threads, Readings& readings) const {
  fill_budget(readings);
  const bool is_long = seconds_ >= base::to_seconds(kLeast);
  for (const auto& [name, seen] : seen_) {
    if (seen.is_rate && !is_long) continue;
    readings[name] = seen.spread.reading(seen.unit);
  }
  if (!is_long) return;
  fill_shares(readings);
  fill_process(readings);
  correct_throttled(threads, readings);
}

void SensorStretch::fill_shares(Readings& readings) const {
  const double idle = growth("processors/idle");
  const double stolen = growth("processors/stolen");
  const double busy = growth("processors/busy");
  const double own = growth("processors/own");
  if (idle < 0 || stolen < 0 || busy < 0 || idle + stolen + busy <= 0) return;
  const double all = idle + stolen + busy;
  readings["processors/idle_share"] = reading_of(idle / all, "1", looks_);
  readings["processors/stolen_share"] = reading_of(stolen / all, "1", looks_);
  if (own < 0) return;
  // The process's own time is counted at other moments than the processors'.
  readings["processors/others_share"] = reading_of(std::max(0.0, busy - own) / all, "1", looks_);
}

void SensorStretch::fill_process(Readings& readings) const {
  const double run = growth("scheduler/run_time");
  const double delay = growth("scheduler/run_delay");
  if (run >= 0 && delay >= 0 && run + delay > 0) {
    readings["process/run_delay_share"] = reading_of(delay / (run + delay), "1", looks_);
  }
  if (requests_ == 0) return;
  const auto requests = static_cast<double>(requests_);
  for (const char* kind : {"minor_faults", "major_faults"}) {
    const double faults = growth(std::string("scheduler/") + kind);
    if (faults < 0) continue;
    readings[std::string("process/") + kind + "_per_request"] =
        reading_of(faults / requests, "1", requests_);
  }
}

// The kernel adds up the time that each processor was held back. At most as many as there are
// threads to run, or processors to run them, are held back at once, so that is what one second can
// hold at most.
void SensorStretch::correct_throttled(int threads, Readings& readings) const {
  const auto throttled = seen_.find("cgroup/cpu/throttled");
  if (throttled == seen_.end()) return;
  double at_once = std::max(1, threads);
  const auto allowed = seen_.find("processors/allowed");
  if (allowed != seen_.end()) at_once = std::min(at_once, allowed->second.spread.mean());
  readings["cgroup/cpu/throttled"] =
      throttled->second.spread.reading(throttled->second.unit, 1 / std::max(1.0, at_once), 1);
}

}  // namespace tachostat::app

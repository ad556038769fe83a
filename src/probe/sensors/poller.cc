#include "probe/sensors/poller.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "probe/sensors/checks.h"

namespace tachostat::probe {
namespace {

std::string rate_unit_of(std::string_view unit) {
  if (unit == "J") return "W";
  if (unit == "s") return "1";
  return std::string(unit) + "/s";
}

// What a machine that does something cannot show twice: joules, and watts to the microwatt.
bool must_move(const Reading& reading) {
  return reading.unit == "J" || (reading.unit == "W" && !reading.name.ends_with("/limit"));
}

}  // namespace

SensorPoller::SensorPoller(const base::Clock& clock, std::vector<std::unique_ptr<Sensor>> sensors,
                           SensorPollerOptions options)
    : clock_(clock),
      options_(options),
      due_(clock.now()),
      snapshot_(std::make_shared<SensorSnapshot>()) {
  for (std::unique_ptr<Sensor>& sensor : sensors) {
    watched_.push_back({.sensor = std::move(sensor), .asked = {}, .past = {}});
  }
}

bool SensorPoller::poll() {
  const base::Time now = clock_.now();
  if (now < due_) return false;
  // Not due_ + period: after a pause nobody wants the polls that were missed.
  due_ = now + options_.period;
  const std::shared_ptr<const SensorSnapshot> before = snapshot();
  auto after = std::make_shared<SensorSnapshot>();
  after->at = now;
  after->unix_time = clock_.unix_time();
  after->polls = before->polls + 1;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    Watched& watched = watched_[i];
    SensorStatus status;
    status.name = std::string(watched.sensor->name());
    const bool is_first = before->polls == 0;
    const bool is_time = is_first || now - watched.asked >= options_.retry;
    if (is_time) watched.asked = now;
    if (!is_first) {
      status.available = before->sensors[i].available;
      status.facts = before->sensors[i].facts;
    }
    if (is_time && (is_first || !status.available.ok())) {
      status.available = watched.sensor->available();
    }
    if (status.available.ok()) {
      if (is_time) status.facts = watched.sensor->facts();
      read(watched, status, now);
    }
    after->sensors.push_back(std::move(status));
  }
  record(*after);
  base::MutexLock lock(mutex_);
  snapshot_ = std::move(after);
  return true;
}

void SensorPoller::read(Watched& watched, SensorStatus& status, base::Time now) {
  std::vector<Reading> readings;
  status.last_read = watched.sensor->read(readings);
  status.left_out = watched.sensor->left_out();
  if (!status.last_read.ok()) {
    // What was said once is not said any more.
    watched.past.clear();
    return;
  }
  std::map<std::string, Past> past;
  for (Reading& reading : readings) {
    const auto known = watched.past.find(reading.name);
    Past of = known == watched.past.end() ? Past{reading.value, now, now} : known->second;
    SensorStatus::Value value{
        .reading = std::move(reading), .rate = {}, .rate_unit = {}, .doubt = {}};
    derive(value, of, known == watched.past.end(), now, status.left_out);
    past.insert_or_assign(value.reading.name, of);
    status.values.push_back(std::move(value));
  }
  // What vanished is forgotten: should it come back, it starts anew.
  watched.past = std::move(past);
}

void SensorPoller::derive(SensorStatus::Value& value, Past& past, bool is_new, base::Time now,
                          std::vector<std::string>& left_out) const {
  const Reading& reading = value.reading;
  if (reading.value != past.value) past.moved = now;
  const bool may_be_stuck = must_move(reading) && now - past.moved >= options_.stuck;
  if (may_be_stuck) {
    value.doubt = fmt::format("has not moved for {:.0f} s", base::to_seconds(now - past.moved));
  }
  if (reading.kind == Reading::Kind::kCounter) {
    value.rate_unit = rate_unit_of(reading.unit);
    const double seconds = base::to_seconds(now - past.at);
    const double growth = reading.value - past.value;
    // No joules at all in a whole period means that the counter did not move, not that nothing was
    // spent.
    const bool is_silent = reading.unit == "J" && growth == 0;
    if (!is_new && seconds > 0 && growth >= 0 && !is_silent) {
      const double rate = growth / seconds;
      if (reading.unit == "J" && rate > kMostWatts) {
        left_out.push_back(fmt::format("{}: {:.0f} W is not possible", reading.name, rate));
      } else {
        value.rate = rate;
      }
    }
  }
  past.value = reading.value;
  past.at = now;
}

void SensorPoller::record(const SensorSnapshot& snapshot) {
  const auto time = static_cast<std::uint64_t>(snapshot.at.time_since_epoch().count());
  base::MutexLock lock(mutex_);
  for (const SensorStatus& sensor : snapshot.sensors) {
    if (!sensor.available.ok() || !sensor.last_read.ok()) continue;
    for (const SensorStatus::Value& value : sensor.values) {
      const Reading& reading = value.reading;
      const bool is_level = reading.kind == Reading::Kind::kLevel;
      if (!is_level && !value.rate) continue;
      auto at = tracks_.find(reading.name);
      if (at == tracks_.end()) {
        if (tracks_.size() >= options_.tracks) continue;
        at = tracks_.emplace(reading.name, trace::CounterTrack{}).first;
        at->second.name = reading.name;
        at->second.unit = is_level ? reading.unit : value.rate_unit;
      }
      auto& points = at->second.points;
      // In halves, so that a point is moved once on average.
      if (points.size() >= 2 * options_.history) {
        points.erase(points.begin(), points.end() - static_cast<std::ptrdiff_t>(options_.history));
      }
      points.emplace_back(time, is_level ? reading.value : *value.rate);
    }
  }
}

const SensorStatus::Value* find(const SensorSnapshot& snapshot, std::string_view name) {
  for (const SensorStatus& sensor : snapshot.sensors) {
    for (const SensorStatus::Value& value : sensor.values) {
      if (value.reading.name == name) return &value;
    }
  }
  return nullptr;
}

std::shared_ptr<const SensorSnapshot> SensorPoller::snapshot() const {
  base::MutexLock lock(mutex_);
  return snapshot_;
}

std::vector<trace::CounterTrack> SensorPoller::tracks(base::Time since) const {
  const std::int64_t count = since.time_since_epoch().count();
  const std::uint64_t from = count > 0 ? static_cast<std::uint64_t>(count) : 0;
  std::vector<trace::CounterTrack> tracks;
  base::MutexLock lock(mutex_);
  for (const auto& [name, track] : tracks_) {
    auto first =
        std::lower_bound(track.points.begin(), track.points.end(), from,
                         [](const auto& point, std::uint64_t time) { return point.first < time; });
    const auto most = static_cast<std::ptrdiff_t>(options_.history);
    if (track.points.end() - first > most) first = track.points.end() - most;
    if (first == track.points.end()) continue;
    tracks.push_back({track.name, track.unit, {first, track.points.end()}});
  }
  return tracks;
}

}  // namespace tachostat::probe

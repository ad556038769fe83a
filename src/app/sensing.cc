#include "app/sensing.h"

#include <algorithm>

#include "base/thread.h"

namespace tachostat::app {

Sensing::Sensing(const base::Clock& clock, const probe::SensorOptions& sensors,
                 probe::SensorPollerOptions options)
    : options_(options), poller_(clock, probe::make_sensors(sensors), options) {
  poller_.poll();  // so that the first snapshot is there at once
  thread_ = base::start_thread("sensors", [this](const std::stop_token& stop) { run(stop); });
}

Sensing::~Sensing() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Sensing::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    poller_.poll();
    base::sleep_until(stop, poller_.due());
  }
}

void Sensing::add_tracks(trace::Trace& trace) const {
  std::uint64_t begin = UINT64_MAX;
  std::uint64_t end = 0;
  for (const trace::Span& span : trace.spans) {
    begin = std::min(begin, span.begin_ns);
    end = std::max(end, span.end_ns);
  }
  if (end == 0) return;
  // One point before and one after, so that lines reach the edges.
  const auto around = static_cast<std::uint64_t>(options_.period.count());
  begin = begin > around ? begin - around : 0;
  for (trace::CounterTrack& track : poller_.tracks(base::Time(base::Duration(begin)))) {
    std::erase_if(track.points, [&](const auto& point) { return point.first > end + around; });
    if (!track.points.empty()) trace.counters.push_back(std::move(track));
  }
}

}  // namespace tachostat::app

#include "app/serving_window.h"

#include <algorithm>

namespace tachostat::app {
namespace {

std::vector<std::string> names_of(const std::vector<model::Port>& ports) {
  std::vector<std::string> names;
  names.reserve(ports.size());
  for (const model::Port& port : ports) names.push_back(port.name);
  return names;
}

template <class Windows>
auto variant_in(Windows& variants, std::string_view variant) {
  return std::find_if(variants.begin(), variants.end(),
                      [&](const auto& entry) { return entry.variant == variant; });
}

bool asks_for(const std::vector<serve::WantedOutput>& wanted, const std::string& output) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                       [&](const auto& one) { return one.name == output; });
}

void set(Readings& readings, const std::string& name, const Spread& spread,
         const std::string& unit) {
  if (spread.n > 0) readings[name] = spread.reading(unit);
}

}  // namespace

ServingWindow::ServingWindow(const base::Clock& clock, const model::Graph& graph)
    : clock_(clock), outputs_(names_of(graph.outputs)), windows_(window_from(clock.now())) {}

ServingWindow::Window ServingWindow::window_from(base::Time now) const {
  Window window{.begin = now};
  window.asked.resize(outputs_.size());
  return window;
}

void ServingWindow::begin_window(base::Time now) {
  const base::Duration length = now - windows_.now().begin;
  if (length < kLength) return;
  // After a pause nothing of before it is recent.
  if (length >= 2 * kLength) {
    windows_.restart(window_from(now));
  } else {
    windows_.turn(window_from(now));
  }
}

void ServingWindow::answered(const schedule::Answered& answered) {
  if (!answered.ok) return;
  const schedule::Timing& timing = answered.timing;
  const double compute = base::to_seconds(timing.done - timing.dispatched);
  const int batch = std::max(1, timing.batch);
  base::MutexLock lock(mutex_);
  begin_window(timing.done);
  Window& now = windows_.now();
  now.latency.add(base::to_seconds(timing.done - timing.arrival));
  now.busy_seconds += compute / batch;
  auto of = variant_in(now.variants, answered.variant);
  if (of == now.variants.end()) {
    if (now.variants.size() >= kMostVariants) return;
    now.variants.push_back({.variant = std::string(answered.variant)});
    of = std::prev(now.variants.end());
  }
  of->queue.add(base::to_seconds(timing.dispatched - timing.arrival));
  of->compute.add(compute);
  // Each inference counts once, though each of its requests is reported.
  of->batch.add(batch, 1.0 / batch);
}

void ServingWindow::wired(const serve::Wired& wired) {
  base::MutexLock lock(mutex_);
  Window& now = windows_.now();
  now.decode.add(base::to_seconds(wired.decode));
  now.encode.add(base::to_seconds(wired.encode));
  now.text.add(wired.text ? 1 : 0);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    now.asked[i].add(asks_for(wired.outputs, outputs_[i]) ? 1 : 0);
  }
}

void ServingWindow::add(const Window& from, Window& to) {
  for (const PerVariant& variant : from.variants) {
    const auto same = variant_in(to.variants, variant.variant);
    if (same == to.variants.end()) {
      to.variants.push_back(variant);
      continue;
    }
    same->queue.add(variant.queue);
    same->compute.add(variant.compute);
    same->batch.add(variant.batch);
  }
  to.latency.add(from.latency);
  to.busy_seconds += from.busy_seconds;
  to.decode.add(from.decode);
  to.encode.add(from.encode);
  to.text.add(from.text);
  for (std::size_t i = 0; i < from.asked.size(); ++i) to.asked[i].add(from.asked[i]);
}

ServingWindow::Window ServingWindow::both() const {
  base::MutexLock lock(mutex_);
  return windows_.both(add);
}

void ServingWindow::fill(std::string_view variant, int streams, Readings& readings) const {
  const Window all = both();
  const double seconds = base::to_seconds(clock_.now() - all.begin);
  if (seconds <= 0 || all.latency.n == 0) return;
  const std::uint64_t answered = all.latency.n;
  const auto of = variant_in(all.variants, variant);
  if (of != all.variants.end()) {
    set(readings, "serving/queue", of->queue, "s");
    set(readings, "serving/compute", of->compute, "s");
    set(readings, "serving/batch", of->batch, "1");
  }
  readings["serving/rate"] = reading_of(static_cast<double>(answered) / seconds, "1/s", answered);
  readings["serving/in_flight"] = reading_of(all.latency.sum / seconds, "1", answered);
  readings["serving/busy_share"] =
      reading_of(std::min(1.0, all.busy_seconds / (seconds * std::max(1, streams))), "1", answered);
  set(readings, "serving/decode", all.decode, "s");
  set(readings, "serving/encode", all.encode, "s");
  set(readings, "serving/json_share", all.text, "1");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    set(readings, "output/" + outputs_[i] + "/asked", all.asked[i], "1");
  }
}

}  // namespace tachostat::app

#include "profile/layer_threads.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace tachostat::profile {
namespace {

// What is known of one execution while the spans are gone through.
struct Evidence {
  std::vector<Interval> bodies;           // by thread and begin; those of one thread are disjoint
  std::vector<std::uint64_t> primitives;  // begins on the request's thread, ascending
  bool has_primitive = false;             // on any thread
};

constexpr std::size_t kNone = ~std::size_t{0};

// The layer that runs at `time`.
std::size_t layer_at(const std::vector<LayerRun*>& layers, std::uint64_t time) {
  const auto next = std::partition_point(
      layers.begin(), layers.end(), [&](const LayerRun* layer) { return layer->begin_ns <= time; });
  if (next == layers.begin() || time >= (*(next - 1))->end_ns) return kNone;
  return static_cast<std::size_t>(next - 1 - layers.begin());
}

// Calls take(layer, interval) for the outermost spans of each thread, cut at their layer's end.
template <class Take>
void walk(const std::vector<Interval>& spans, const std::vector<LayerRun*>& layers, Take&& take) {
  std::uint32_t thread = 0;
  std::uint64_t covered = 0;  // on `thread`, by a span already taken
  for (const Interval& span : spans) {
    if (span.thread != thread) covered = 0;
    thread = span.thread;
    if (span.begin < covered) continue;
    const std::size_t at = layer_at(layers, span.begin);
    if (at == kNone) continue;
    Interval body = span;
    body.end = std::min(span.end, layers[at]->end_ns);
    if (take(at, body)) covered = body.end;
  }
}

// For each layer, whether a span of a thread other than the layer's own began before it and still
// ran when it began.
std::vector<bool> came_over(std::vector<Interval> workers, const std::vector<LayerRun*>& layers) {
  std::sort(workers.begin(), workers.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  struct Latest {
    std::uint32_t thread = 0;
    std::uint64_t end = 0;
  };
  Latest first;   // the latest end so far
  Latest second;  // and that of any other thread
  std::vector<bool> result;
  std::size_t next = 0;
  for (const LayerRun* layer : layers) {
    for (; next < workers.size() && workers[next].begin < layer->begin_ns; ++next) {
      const Latest one{workers[next].thread, workers[next].end};
      if (one.end >= first.end) {
        if (one.thread != first.thread) second = first;
        first = one;
      } else if (one.thread != first.thread && one.end > second.end) {
        second = one;
      }
    }
    const Latest& other = first.thread != layer->thread ? first : second;
    result.push_back(other.end > layer->begin_ns);
  }
  return result;
}

void finish_region(const std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>>& threads,
                   std::uint64_t begin, ThreadRun& run, std::vector<std::uint64_t>& spreads) {
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  std::uint64_t last_start = begin;
  for (const auto& [thread, start_and_busy] : threads) {
    last_start = std::max(last_start, start_and_busy.first);
    most = std::max(most, start_and_busy.second);
    sum += start_and_busy.second;
  }
  run.region_most_ns += static_cast<double>(most);
  run.region_mean_ns += static_cast<double>(sum) / static_cast<double>(threads.size());
  if (threads.size() > 1) spreads.push_back(last_start - begin);
}

void add_regions(std::vector<Interval> bodies, ThreadRun& run) {
  std::sort(bodies.begin(), bodies.end(),
            [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> threads;  // first start, busy
  std::vector<std::uint64_t> spreads;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (const Interval& body : bodies) {
    if (!threads.empty() && body.begin >= end) {
      finish_region(threads, begin, run, spreads);
      threads.clear();
    }
    if (threads.empty()) begin = body.begin;
    threads.try_emplace(body.thread, body.begin, 0).first->second.second += body.end - body.begin;
    end = std::max(end, body.end);
  }
  finish_region(threads, begin, run, spreads);
  if (spreads.empty()) return;
  const auto sum = std::accumulate(spreads.begin(), spreads.end(), 0.0);
  run.start_spread_ns = sum / static_cast<double>(spreads.size());
}

ThreadRun run_of(const LayerRun& layer, const Evidence& evidence) {
  ThreadRun run;
  std::uint64_t first = layer.end_ns;
  std::uint64_t last = layer.begin_ns;
  std::map<std::uint32_t, std::uint64_t> busy;
  for (const Interval& body : evidence.bodies) {
    busy[body.thread] += body.end - body.begin;
    first = std::min(first, body.begin);
    last = std::max(last, body.end);
  }
  for (const auto& [thread, time] : busy) run.busy_ns.push_back(time);
  std::sort(run.busy_ns.rbegin(), run.busy_ns.rend());

  const auto after =
      std::upper_bound(evidence.primitives.begin(), evidence.primitives.end(), first);
  const std::uint64_t call =
      after == evidence.primitives.begin() ? layer.begin_ns : *std::prev(after);
  run.dispatch_ns = first - std::min(first, call);
  run.tail_ns = layer.end_ns - last;
  add_regions(evidence.bodies, run);
  return run;
}

}  // namespace

std::uint64_t ThreadRun::total_busy_ns() const {
  return std::accumulate(busy_ns.begin(), busy_ns.end(), std::uint64_t{0});
}

void add_threads(const std::vector<Interval>& workers, const std::vector<Interval>& primitives,
                 const std::vector<LayerRun*>& layers) {
  std::vector<Evidence> evidence(layers.size());
  std::map<std::pair<std::size_t, std::uint32_t>, bool> marked;  // layer and thread: has primitives
  walk(primitives, layers, [&](std::size_t at, const Interval& body) {
    evidence[at].has_primitive = true;
    if (body.thread == layers[at]->thread) {
      evidence[at].primitives.push_back(body.begin);
      return false;  // those inside it count as well
    }
    evidence[at].bodies.push_back(body);
    marked[{at, body.thread}] = true;
    return true;
  });
  walk(workers, layers, [&](std::size_t at, const Interval& body) {
    if (marked.contains({at, body.thread})) return false;
    evidence[at].bodies.push_back(body);
    return true;
  });
  const std::vector<bool> uncertain = came_over(workers, layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (evidence[i].bodies.empty() || (uncertain[i] && !evidence[i].has_primitive)) continue;
    layers[i]->threads = run_of(*layers[i], evidence[i]);
  }
}

}  // namespace tachostat::profile

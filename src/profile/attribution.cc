#include "profile/attribution.h"

#include <algorithm>
#include <tuple>

#include "profile/intervals.h"
#include "profile/layer_threads.h"

namespace tachostat::profile {
namespace {

using trace::ExecutionMark;
using trace::Kind;
using trace::Span;
using trace::Trace;

std::vector<Interval> marks_of(const Trace& trace) {
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < trace.marks.size(); ++i) {
    const ExecutionMark& mark = trace.marks[i];
    if (!is_sane(mark.begin_ns, mark.end_ns)) continue;
    intervals.push_back({mark.thread, mark.begin_ns, mark.end_ns, static_cast<std::uint32_t>(i)});
  }
  sort(intervals);
  make_disjoint(intervals);
  return intervals;
}

std::uint64_t overlap_of(const Interval& a, const Interval& b) {
  const std::uint64_t begin = std::max(a.begin, b.begin);
  const std::uint64_t end = std::min(a.end, b.end);
  return begin < end ? end - begin : 0;
}

// Both disjoint and sorted. Each mark becomes one request: the span that shares most of its time
// with the mark, or, failing that, the mark's own interval.
std::vector<RequestRun> match(const std::vector<Interval>& marks,
                              const std::vector<Interval>& spans) {
  std::vector<RequestRun> requests;
  std::vector<bool> used(spans.size());
  std::size_t first = 0;
  for (const Interval& mark : marks) {
    while (first < spans.size() &&
           (spans[first].thread < mark.thread ||
            (spans[first].thread == mark.thread && spans[first].end <= mark.begin))) {
      ++first;
    }
    std::size_t best = spans.size();
    std::uint64_t best_overlap = 0;
    for (std::size_t i = first; i < spans.size(); ++i) {
      if (spans[i].thread != mark.thread || spans[i].begin >= mark.end) break;
      const std::uint64_t overlap = overlap_of(mark, spans[i]);
      // A span that only touches the mark is another request's.
      const bool mostly =
          overlap >= (spans[i].end - spans[i].begin) / 2 || overlap >= (mark.end - mark.begin) / 2;
      if (!used[i] && mostly && overlap > best_overlap) {
        best = i;
        best_overlap = overlap;
      }
    }
    const Interval& chosen = best < spans.size() ? spans[best] : mark;
    if (best < spans.size()) used[best] = true;
    RequestRun run{mark.index, mark.thread, chosen.begin, chosen.end};
    if (!requests.empty() && requests.back().thread == run.thread) {
      run.begin_ns = std::max(run.begin_ns, requests.back().end_ns);
    }
    if (run.begin_ns < run.end_ns) requests.push_back(run);
  }
  return requests;
}

std::vector<LayerRun> layers_of(const Trace& trace, const std::vector<RequestRun>& requests) {
  std::vector<LayerRun> layers;
  std::size_t at = 0;
  std::uint64_t covered = 0;  // end of the last layer taken of request `at`
  for (const Interval& span : spans_of(trace, Kind::kLayer)) {
    while (at < requests.size() &&
           (requests[at].thread < span.thread ||
            (requests[at].thread == span.thread && requests[at].end_ns <= span.begin))) {
      ++at;
      covered = 0;
    }
    if (at == requests.size()) break;
    const RequestRun& request = requests[at];
    const bool enclosed = request.thread == span.thread && span.begin >= request.begin_ns &&
                          span.end <= request.end_ns;
    if (!enclosed || span.begin < covered) continue;
    covered = span.end;
    layers.push_back({.request = static_cast<std::uint32_t>(at),
                      .thread = span.thread,
                      .name = trace.spans[span.index].name,
                      .begin_ns = span.begin,
                      .end_ns = span.end});
  }
  return layers;
}

struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// When more than one request was in flight, ascending. `busy` is any request activity, known or
// not; on one thread it may overlap and counts once.
std::vector<Stretch> crowded(std::vector<Interval> busy) {
  sort(busy);
  make_disjoint(busy);
  std::vector<std::pair<std::uint64_t, int>> events;  // ends sort before begins
  for (const Interval& interval : busy) {
    events.emplace_back(interval.begin, +1);
    events.emplace_back(interval.end, -1);
  }
  std::sort(events.begin(), events.end());
  std::vector<Stretch> result;
  int in_flight = 0;
  for (const auto& [time, step] : events) {
    if (step > 0 && in_flight == 1) result.push_back({time, time});
    if (step < 0 && in_flight == 2) result.back().end = time;
    in_flight += step;
  }
  return result;
}

// Those that ran while no other request was in flight, by begin. They don't overlap.
std::vector<LayerRun*> alone(std::vector<LayerRun>& layers, const std::vector<Stretch>& stretches) {
  std::vector<LayerRun*> result;
  for (LayerRun& layer : layers) {
    const auto next =
        std::partition_point(stretches.begin(), stretches.end(),
                             [&](const Stretch& stretch) { return stretch.end <= layer.begin_ns; });
    if (next == stretches.end() || next->begin >= layer.end_ns) result.push_back(&layer);
  }
  std::sort(result.begin(), result.end(), [](const LayerRun* a, const LayerRun* b) {
    return std::tie(a->begin_ns, a->end_ns) < std::tie(b->begin_ns, b->end_ns);
  });
  return result;
}

}  // namespace

Attribution attribute(const Trace& trace) {
  const std::vector<Interval> marks = marks_of(trace);
  std::vector<Interval> spans = spans_of(trace, Kind::kRequest);
  make_disjoint(spans);

  Attribution result;
  result.requests = match(marks, spans);
  result.layers = layers_of(trace, result.requests);

  const std::vector<Interval> workers = spans_of(trace, Kind::kWorker);
  if (workers.empty()) return result;
  std::vector<Interval> busy = marks;
  busy.insert(busy.end(), spans.begin(), spans.end());
  add_threads(workers, spans_of(trace, Kind::kPrimitive),
              alone(result.layers, crowded(std::move(busy))));
  return result;
}

}  // namespace tachostat::profile

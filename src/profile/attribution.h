// Which request and which layer every span of a trace belongs to. Method: intervals on each thread
// are sorted once and walked side by side, so the cost is that of sorting.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "trace/trace.h"

namespace tachostat::profile {

// One inference of a session. Those of one thread don't overlap.
struct RequestRun {
  std::uint32_t mark = 0;  // index into Trace::marks
  std::uint32_t thread = 0;
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
};

// How one execution of a layer used threads. A region is a stretch in which some thread is inside a
// body, without a pause: one parallel-for, usually.
struct ThreadRun {
  std::vector<std::uint64_t> busy_ns = {};  // of each thread that ran a body, the busiest first
  // Of each region the busiest thread's time, and the mean over its threads, added up.
  double region_most_ns = 0;
  double region_mean_ns = 0;
  // From the begin of the last primitive before the first body, or of the layer, to that body.
  std::uint64_t dispatch_ns = 0;
  // From a region's first body to the first body of its last thread: the mean over regions with
  // two threads and more; -1 without such a region.
  double start_spread_ns = -1;
  std::uint64_t tail_ns = 0;  // from the last body's end to the layer's

  std::uint64_t total_busy_ns() const;
};

// One execution of a layer inside a request. Those of one request don't overlap.
struct LayerRun {
  std::uint32_t request = 0;  // index into Attribution::requests
  std::uint32_t thread = 0;   // the request's
  std::uint32_t name = 0;     // index into Trace::names
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  // Without value: no parallel-for body was seen, or another request was in flight at any time of
  // this execution, or it cannot be told who worked.
  std::optional<ThreadRun> threads = {};
};

struct Attribution {
  std::vector<RequestRun> requests;  // by thread and begin
  std::vector<LayerRun> layers;      // in the order of their requests, then by begin
};

// Spans that end before they begin, that last longer than a day, or whose name is not in the trace
// are ignored, as are marks of that kind.
Attribution attribute(const trace::Trace& trace);

}  // namespace tachostat::profile

// Which request and which layer every span of a trace belongs to. Method: intervals on each thread
// are sorted once and walked side by side, so the cost is that of sorting.
#pragma once

#include <cstdint>
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

// One execution of a layer inside a request. Those of one request don't overlap.
struct LayerRun {
  std::uint32_t request = 0;  // index into Attribution::requests
  std::uint32_t name = 0;     // index into Trace::names
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  // Of all threads inside worker spans; stays 0 without worker spans, or when another request was
  // in flight at any time of this execution.
  std::uint64_t busy_ns = 0;
  bool has_workers = false;
};

struct Attribution {
  std::vector<RequestRun> requests;  // by thread and begin
  std::vector<LayerRun> layers;      // in the order of their requests, then by begin
};

// Spans that end before they begin, that last longer than a day, or whose name is not in the trace
// are ignored, as are marks of that kind.
Attribution attribute(const trace::Trace& trace);

}  // namespace tachostat::profile

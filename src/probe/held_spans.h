// Keeps drained spans until it is known whether they belong to a request that was looked at from
// end to end.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "trace/trace.h"

namespace tachostat::probe {

// Thread-compatible. Looked-at requests are numbered in the order in which they started.
class HeldSpans {
 public:
  static constexpr std::size_t kMost = 1 << 20;
  static constexpr std::uint64_t kNoneInFlight = ~std::uint64_t{0};

  // Where a source drains into; take() picks the spans up from here.
  trace::Trace& inbox() { return inbox_; }

  struct Looked {
    trace::ExecutionMark mark;
    // No other request ran beside it, so whatever the worker threads did was its work.
    bool alone = false;
  };
  struct Known {
    std::vector<Looked> requests;    // that ended since the last call
    std::uint64_t last_started = 0;  // number of the newest request
    std::uint64_t oldest_in_flight = kNoneInFlight;
  };
  // The requests' marks and their spans; worker threads' spans only for those that ran alone. A
  // span that no mark covers is kept as long as a request that had started when it was drained is
  // in flight, then forgotten.
  trace::Trace take(Known known);

 private:
  struct Batch {
    std::uint64_t last_started;
    std::vector<trace::Span> spans;
  };

  trace::Trace inbox_;  // its names number the spans of all batches
  std::deque<Batch> batches_;
};

}  // namespace tachostat::probe

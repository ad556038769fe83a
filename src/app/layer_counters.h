// What layers count (cycles, misses, faults), from readings of spans to figures of a profile.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "probe/counters/span_counter_log.h"
#include "probe/probe.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

// Thread-compatible.
class LayerCounters {
 public:
  // `log` may be null: then nothing is counted. It must outlive this.
  explicit LayerCounters(probe::SpanCounterLog* log) : log_(log) {}

  // Takes what was counted since the last call, for the layers of looked-at requests.
  void add(const trace::Trace& trace);
  // Puts the mean of each event per execution into the layers' metrics.
  void fill(std::uint64_t session, profile::Profile& profile) const;

 private:
  static constexpr std::size_t kMostPending = 100'000;

  struct Sum {
    probe::CounterSample sum;
    std::uint64_t spans = 0;
  };
  using Key = std::pair<std::uint64_t, std::string>;  // session, bucket

  probe::SpanCounterLog* log_;
  std::vector<probe::CounterRecord> pending_;  // their requests have not ended
  std::map<Key, std::map<std::string, Sum, std::less<>>> sums_;
};

}  // namespace tachostat::app

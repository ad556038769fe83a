// Counts what becomes of every request of one model, over all nodes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "simulate/bound.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

// Thread-compatible. Times are since the scenario's begin.
class Recorder {
 public:
  Recorder(const Scenario& scenario, const SimulatedModel& model);

  enum class End { kAnswered, kRefused, kFailed };

  void arrived(base::Duration at);
  // `variant`: that answered, by name. `limit`: within which an answer is in time.
  void ended(base::Duration arrival, base::Duration end, base::Duration limit, End how,
             std::string_view variant);
  void decided(base::Duration at, int node, const govern::Decision& decision);

  // Requests that arrived and did not end, whether counted in the report or not.
  std::uint64_t open() const { return arrived_ - ended_; }
  double bound_alone() const { return bound_.in_time(); }
  ModelReport report() const;  // without bound_in_time

 private:
  struct Bucket {
    std::uint32_t arrivals = 0;
    std::uint32_t in_time = 0;
  };
  Bucket& bucket_of(base::Duration at);
  bool counted(base::Duration at) const { return at >= warm_up_; }
  std::vector<Recovery> recoveries() const;
  std::optional<double> recovered_after(base::Duration change) const;

  const Scenario& scenario_;
  const base::Duration warm_up_;
  ModelReport report_;
  ClairvoyantBound bound_;
  std::vector<Bucket> buckets_;  // by arrival, each kBucket long
  std::vector<base::Duration> switched_;
  std::map<std::string, std::uint64_t, std::less<>> answered_by_;
  std::uint64_t arrived_ = 0, ended_ = 0;
};

}  // namespace tachostat::simulate

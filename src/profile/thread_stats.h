// How a layer's executions used threads, added up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tachostat::profile {

// Means over those executions of which it is known who worked (see layer_threads.h). Times in
// nanoseconds; -1: not known.
struct ThreadStats {
  static constexpr std::size_t kMostRanks = 256;

  std::uint64_t executions = 0;  // 0: nothing below is known
  double busy_ns = -1;           // of all threads together
  // Of the busiest thread of each execution, the next, and so on, at most kMostRanks; a thread that
  // took no part counts as 0.
  std::vector<double> per_thread_ns = {};
  double participants = -1;  // threads that ran a body
  // The busiest thread's time ÷ the mean over the threads that took part, parallel-for by
  // parallel-for, weighted by time; 1 is perfect.
  double imbalance = -1;
  double idle_share = -1;  // 1 - busy ÷ (wall time × threads)
  // From the call (the layer's begin, or the last primitive's before the body) to the first body.
  double dispatch_ns = -1;
  double start_spread_ns = -1;  // from a parallel-for's first body to its last thread's first
  double tail_ns = -1;          // from the last body's end to the layer's
};

struct ThreadRun;

// Thread-compatible.
class ThreadSums {
 public:
  // One execution, which took `wall_ns`.
  void add(const ThreadRun& run, std::uint64_t wall_ns);
  // `threads`: how many a request has.
  ThreadStats stats(int threads) const;

 private:
  std::uint64_t executions_ = 0;
  std::uint64_t spreads_ = 0;  // executions with a start spread
  double wall_ns_ = 0;
  double busy_ns_ = 0;
  double participants_ = 0;
  double region_most_ns_ = 0;
  double region_mean_ns_ = 0;
  double dispatch_ns_ = 0;
  double start_spread_ns_ = 0;
  double tail_ns_ = 0;
  std::vector<double> ranks_;
};

}  // namespace tachostat::profile

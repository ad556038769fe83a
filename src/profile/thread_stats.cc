#include "profile/thread_stats.h"

#include <algorithm>

#include "profile/attribution.h"

namespace tachostat::profile {

void ThreadSums::add(const ThreadRun& run, std::uint64_t wall_ns) {
  ++executions_;
  wall_ns_ += static_cast<double>(wall_ns);
  busy_ns_ += static_cast<double>(run.total_busy_ns());
  participants_ += static_cast<double>(run.busy_ns.size());
  region_most_ns_ += run.region_most_ns;
  region_mean_ns_ += run.region_mean_ns;
  dispatch_ns_ += static_cast<double>(run.dispatch_ns);
  tail_ns_ += static_cast<double>(run.tail_ns);
  if (run.start_spread_ns >= 0) {
    ++spreads_;
    start_spread_ns_ += run.start_spread_ns;
  }
  const std::size_t ranks = std::min(run.busy_ns.size(), ThreadStats::kMostRanks);
  if (ranks_.size() < ranks) ranks_.resize(ranks);
  for (std::size_t i = 0; i < ranks; ++i) ranks_[i] += static_cast<double>(run.busy_ns[i]);
}

ThreadStats ThreadSums::stats(int threads) const {
  ThreadStats stats;
  if (executions_ == 0) return stats;
  const auto count = static_cast<double>(executions_);
  stats.executions = executions_;
  stats.busy_ns = busy_ns_ / count;
  for (const double rank : ranks_) stats.per_thread_ns.push_back(rank / count);
  stats.participants = participants_ / count;
  if (region_mean_ns_ > 0) stats.imbalance = region_most_ns_ / region_mean_ns_;
  if (wall_ns_ > 0) stats.idle_share = 1 - std::min(1.0, busy_ns_ / (wall_ns_ * threads));
  stats.dispatch_ns = dispatch_ns_ / count;
  if (spreads_ > 0) stats.start_spread_ns = start_spread_ns_ / static_cast<double>(spreads_);
  stats.tail_ns = tail_ns_ / count;
  return stats;
}

}  // namespace tachostat::profile

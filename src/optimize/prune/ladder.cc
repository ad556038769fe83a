#include "optimize/prune/ladder.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tachostat::optimize {
namespace {

constexpr std::size_t kBlock = 16;  // f32 in 512 bits; two vectors of AVX2, four of NEON
constexpr std::array kKept = {0.875, 0.75, 0.625, 0.5, 0.375};

}  // namespace

std::vector<std::size_t> prunable_counts(std::size_t channels) {
  std::vector<std::size_t> counts;
  for (const double share : kKept) {
    const double blocks = static_cast<double>(channels) * share / kBlock;
    const std::size_t kept = std::max<std::size_t>(1, static_cast<std::size_t>(blocks)) * kBlock;
    if (kept >= channels) continue;
    if (counts.empty() || counts.back() < channels - kept) counts.push_back(channels - kept);
  }
  return counts;
}

std::vector<std::vector<std::size_t>> prune_ladder(
    const std::vector<std::vector<PruneLevel>>& groups) {
  std::vector<PruneLevel> at(groups.size());
  std::vector<std::vector<std::size_t>> rungs;
  while (true) {
    std::size_t chosen = groups.size();
    PruneLevel next;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const PruneLevel& level : groups[g]) {
        const double saved = level.saved_ns - at[g].saved_ns;
        if (level.dropped <= at[g].dropped || saved <= 0) continue;
        const double price = (level.error - at[g].error) / saved;
        if (price >= least) continue;
        least = price;
        chosen = g;
        next = level;
      }
    }
    if (chosen == groups.size()) return rungs;
    at[chosen] = next;
    std::vector<std::size_t>& rung = rungs.emplace_back();
    for (const PruneLevel& level : at) rung.push_back(level.dropped);
  }
}

}  // namespace tachostat::optimize

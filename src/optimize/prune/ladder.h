// How many channels go from which group: step by step to a smaller network, the cheapest first.
#pragma once

#include <cstddef>
#include <vector>

namespace tachostat::optimize {

// One group with so many channels less.
struct PruneLevel {
  std::size_t dropped = 0;
  double saved_ns = 0;  // of a request, as measured
  double error = 0;     // Removal::error
};

// How many of a group may go: kernels compute channels in blocks of the vector's width, so counts
// that fill no block would save nothing. Ascending; empty: too few channels.
std::vector<std::size_t> prunable_counts(std::size_t channels);

// `groups`: for each its levels, by what they drop. Gives rungs, each with the number of channels
// that go from each group; each goes further in one group than the one before, where that disturbs
// least for the time that it saves. What saves no time is left out.
std::vector<std::vector<std::size_t>> prune_ladder(
    const std::vector<std::vector<PruneLevel>>& groups);

}  // namespace tachostat::optimize

// In which order channels of a group can go, and what that does to those that read them. A channel
// that goes is replaced by the line through the one that says most of it, which costs nothing at
// run time: it goes into the readers' weights and biases. So duplicates and channels that never
// change go first, for nothing. What a removal disturbs is, for each reader, the variance that no
// line explains times the squares of the weights, against that of all that it reads (the estimate
// of Optimal Brain Surgeon, Hassibi and Stork 1993, for channels, with one stand-in each).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/steps.h"
#include "optimize/prune/channels.h"

namespace tachostat::optimize {

// What one reader gets, and the squares of what multiplies each channel.
struct Reading {
  model::Edge edge = {};
  ChannelStatistics statistics = {};
  std::vector<float> weight = {};
};

struct Removal {
  std::vector<int> order = {};
  // Of each reader the share of what it reads that is disturbed when this and all before have gone,
  // added up over readers: by place in `order`.
  std::vector<double> error = {};
};

// The first `most` to go; all readings are of the same channels, and one of these stays.
Removal order_of_removal(const std::vector<Reading>& readings, std::size_t most);

// The first `count` of that order, with their stand-ins among all that stay.
model::Prune::Group group_without(const std::string& name, const std::vector<Reading>& readings,
                                  const Removal& removal, std::size_t count);

}  // namespace tachostat::optimize

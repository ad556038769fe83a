// What a part of the network costs, in a profile of how it was executed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "model/model.h"
#include "optimize/quantise/places.h"
#include "profile/profile.h"

namespace tachostat::optimize {

using LayerSet = std::set<int>;  // indices into Graph::layers

// The layers whose execution a switch may change: its own, and up and down to the nearest products
// on each way, past at most one join.
LayerSet neighbourhood(const model::Graph& graph, const Switch& at);

// Times of a profile by the model's layers.
class LocalCosts {
 public:
  LocalCosts(const model::Graph& graph, const profile::Profile& profile);

  // Nanoseconds a request of all executed layers that hold one of these, or (where the engine put
  // them in by itself, a reorder or a conversion) that stand behind one.
  double of(const LayerSet& layers) const;
  double total() const { return total_; }

 private:
  struct Executed {
    double ns = 0;
    LayerSet layers = {};
  };
  std::vector<Executed> executed_;
  double total_ = 0;
};

}  // namespace tachostat::optimize

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

  // Nanoseconds a request, by slice of the profile, of all executed layers that hold one of these,
  // or (where the engine put them in by itself, a reorder or a conversion) that stand behind one.
  std::vector<double> of(const LayerSet& layers) const;
  const std::vector<double>& total() const { return total_; }

 private:
  struct Executed {
    std::vector<double> ns;  // by slice
    LayerSet layers = {};
  };
  void add(const std::vector<double>& ns, std::vector<double>& sum) const;

  std::size_t slices_ = 0;
  std::vector<Executed> executed_;
  std::vector<double> total_;
};

// What a change saves, from slices that were measured in turn: slice i of one next to slice i of
// the other. Medians, and an interval of the median's by order statistics (a sign test inverted),
// so that no bad moment of the machine decides.
struct Saving {
  double before = 0, after = 0;  // medians, ns
  double ns = 0;                 // median of before - after
  double low = 0, high = 0;      // 90 % interval of that
};
double median_of(std::vector<double> values);
Saving saving_of(const std::vector<double>& before, const std::vector<double>& after);

}  // namespace tachostat::optimize

#include "optimize/quantise/local_cost.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "optimize/bench.h"

namespace tachostat::optimize {
namespace {

using model::Graph;
using model::Layer;

bool is_product(const Layer& layer) {
  return layer.type.find("Convolution") != std::string::npos || layer.type == "MatMul";
}

bool is_join(const Layer& layer) {
  const auto activations = std::count_if(layer.inputs.begin(), layer.inputs.end(),
                                         [](const model::Value& value) { return !value.constant; });
  return activations >= 2 && !is_product(layer);
}

std::vector<std::vector<int>> readers_of(const Graph& graph) {
  std::vector<std::vector<int>> readers(graph.layers.size());
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    for (const int producer : graph.layers[i].producers) {
      if (producer >= 0) readers[static_cast<std::size_t>(producer)].push_back(static_cast<int>(i));
    }
  }
  return readers;
}

template <class Next>
void walk(const Graph& graph, int layer, int joins_left, const Next& next, LayerSet& found) {
  for (const int other : next(layer)) {
    if (other < 0 || !found.insert(other).second) continue;
    const Layer& there = graph.layers[static_cast<std::size_t>(other)];
    if (is_product(there)) continue;
    const int left = joins_left - (is_join(there) ? 1 : 0);
    if (left >= 0) walk(graph, other, left, next, found);
  }
}

// A quantiser that a recipe put in is called after the edge that it stands on.
std::string_view layer_of(std::string_view original) {
  static constexpr std::string_view kQuantiser = "/quantise";
  if (!original.ends_with(kQuantiser)) return original;
  original.remove_suffix(kQuantiser.size());
  return original.substr(0, original.rfind(':'));
}

}  // namespace

LayerSet neighbourhood(const Graph& graph, const Switch& at) {
  const auto readers = readers_of(graph);
  LayerSet up{at.layer};
  walk(
      graph, at.layer, 1,
      [&graph](int layer) -> const std::vector<int>& {
        return graph.layers[static_cast<std::size_t>(layer)].producers;
      },
      up);
  // What else reads the same tensors is touched too, and so is all below.
  LayerSet found = up;
  const auto down = [&readers](int layer) -> const std::vector<int>& {
    return readers[static_cast<std::size_t>(layer)];
  };
  walk(graph, at.layer, 1, down, found);
  for (const int producer : graph.layers[static_cast<std::size_t>(at.layer)].producers) {
    if (producer >= 0) walk(graph, producer, 0, down, found);
  }
  return found;
}

LocalCosts::LocalCosts(const Graph& graph, const profile::Profile& profile) {
  std::unordered_map<std::string_view, int> places;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    places.emplace(graph.layers[i].name, static_cast<int>(i));
  }
  for (const profile::LayerProfile& layer : profile.layers) {
    Executed& executed = executed_.emplace_back(Executed{.ns = quiet_mean_ns(layer.slices)});
    total_ += executed.ns;
    for (const std::string& original : layer.originals) {
      const auto place = places.find(layer_of(original));
      if (place != places.end()) executed.layers.insert(place->second);
    }
    if (!executed.layers.empty()) continue;
    // The engine's own: it stands for what it reads. Producers come before their readers.
    for (const profile::Tensor& input : layer.inputs) {
      if (input.producer < 0 || static_cast<std::size_t>(input.producer) >= executed_.size() - 1) {
        continue;
      }
      const LayerSet& before = executed_[static_cast<std::size_t>(input.producer)].layers;
      executed.layers.insert(before.begin(), before.end());
    }
  }
}

double LocalCosts::of(const LayerSet& layers) const {
  double sum = 0;
  for (const Executed& executed : executed_) {
    const bool inside = std::any_of(executed.layers.begin(), executed.layers.end(),
                                    [&layers](int layer) { return layers.contains(layer); });
    if (inside) sum += executed.ns;
  }
  return sum;
}

}  // namespace tachostat::optimize

#include "optimize/quantise/local_cost.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

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

LocalCosts::LocalCosts(const Graph& graph, const profile::Profile& profile)
    : slices_(profile.slices.size()), total_(slices_, 0) {
  std::unordered_map<std::string_view, int> places;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    places.emplace(graph.layers[i].name, static_cast<int>(i));
  }
  for (const profile::LayerProfile& layer : profile.layers) {
    Executed& executed = executed_.emplace_back(Executed{std::vector<double>(slices_, 0)});
    for (std::size_t i = 0; i < std::min(slices_, layer.slices.size()); ++i) {
      executed.ns[i] = layer.slices[i].mean_ns();
    }
    add(executed.ns, total_);
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

void LocalCosts::add(const std::vector<double>& ns, std::vector<double>& sum) const {
  for (std::size_t i = 0; i < slices_; ++i) sum[i] += ns[i];
}

std::vector<double> LocalCosts::of(const LayerSet& layers) const {
  std::vector<double> sum(slices_, 0);
  for (const Executed& executed : executed_) {
    const bool inside = std::any_of(executed.layers.begin(), executed.layers.end(),
                                    [&layers](int layer) { return layers.contains(layer); });
    if (inside) add(executed.ns, sum);
  }
  return sum;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Saving saving_of(const std::vector<double>& before, const std::vector<double>& after) {
  const std::size_t n = std::min(before.size(), after.size());
  if (n == 0) return {};
  std::vector<double> savings;
  for (std::size_t i = 0; i < n; ++i) savings.push_back(before[i] - after[i]);
  std::sort(savings.begin(), savings.end());
  // Below the median by 1.645 standard deviations of a fair coin's count.
  const double half = 1.645 * std::sqrt(static_cast<double>(n)) / 2;
  const auto rank =
      static_cast<std::size_t>(std::max(0.0, std::floor(static_cast<double>(n) / 2 - half)));
  return {.before = median_of(before),
          .after = median_of(after),
          .ns = savings[n / 2],
          .low = savings[rank],
          .high = savings[n - 1 - rank]};
}

}  // namespace tachostat::optimize

#include "app/optimize/layer_changes.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "optimize/bench.h"

namespace tachostat::app {
namespace {

double ms_of(const profile::LayerProfile& layer) {
  const bool sliced = !layer.slices.empty();
  return (sliced ? optimize::quiet_mean_ns(layer.slices) : layer.time.mean()) / 1e6;
}

ExecutedLayer executed(const profile::LayerProfile& layer) {
  return {.name = layer.name,
          .type = layer.type,
          .kernel = layer.kernel,
          .precision = layer.precision,
          .ms = ms_of(layer)};
}

LayerStep::Kind kind_of(const profile::LayerProfile& layer) {
  if (layer.type == "Reorder" || layer.type == "Convert") return LayerStep::Kind::kReorder;
  // As the pass "quantise" calls what it puts in.
  return layer.name.find("/quantise") != std::string::npos ? LayerStep::Kind::kQuantise
                                                           : LayerStep::Kind::kOther;
}

class Matcher {
 public:
  LayerChanges match(const profile::Profile& before, const profile::Profile& after) {
    for (const profile::LayerProfile& layer : before.layers) {
      if (layer.time.count() > 0) add_before(layer);
    }
    for (const profile::LayerProfile& layer : after.layers) {
      if (layer.time.count() > 0) add_after(layer);
    }
    join_fused();
    return std::move(changes_);
  }

 private:
  void add_before(const profile::LayerProfile& layer) {
    if (layer.originals.empty()) {
      changes_.steps.push_back({kind_of(layer), false, executed(layer)});
      return;
    }
    const std::size_t row = changes_.layers.size();
    for (const std::string& original : layer.originals) row_of_.emplace(original, row);
    changes_.layers.push_back({.name = layer.originals[0], .before = {executed(layer)}});
  }

  // Its first original is the layer that the others are fused to.
  void add_after(const profile::LayerProfile& layer) {
    const auto known =
        std::find_if(layer.originals.begin(), layer.originals.end(),
                     [this](const std::string& original) { return row_of_.contains(original); });
    if (known == layer.originals.end()) {
      changes_.steps.push_back({kind_of(layer), true, executed(layer)});
      return;
    }
    const std::size_t row = row_of_[*known];
    changes_.layers[row].after.push_back(executed(layer));
    for (auto other = std::next(known); other != layer.originals.end(); ++other) {
      const auto found = row_of_.find(*other);
      if (found != row_of_.end()) fused_into_.emplace(found->second, row);
    }
  }

  // A layer that ran by itself before, and is a part of another's kernel now.
  void join_fused() {
    for (const auto& [from, to] : fused_into_) {
      LayerChange& gone = changes_.layers[from];
      LayerChange& taker = changes_.layers[to];
      if (from == to || !gone.after.empty() || taker.after.empty()) continue;
      taker.before.insert(taker.before.end(), gone.before.begin(), gone.before.end());
      gone.before.clear();
    }
    std::erase_if(changes_.layers, [](const LayerChange& change) {
      return change.before.empty() && change.after.empty();
    });
    for (LayerChange& change : changes_.layers) {
      for (const ExecutedLayer& layer : change.before) change.before_ms += layer.ms;
      for (const ExecutedLayer& layer : change.after) change.after_ms += layer.ms;
    }
  }

  LayerChanges changes_;
  std::unordered_map<std::string, std::size_t> row_of_;  // by the model's layer
  std::map<std::size_t, std::size_t> fused_into_;
};

LayerClass class_of(const ExecutedLayer& layer) {
  const bool product = layer.type == "Convolution" || layer.type == "Deconvolution" ||
                       layer.type == "FullyConnected" || layer.type == "MatMul";
  if (!product) return LayerClass::kOtherLayer;
  const bool integer = layer.precision == "u8" || layer.precision == "i8";
  return integer ? LayerClass::kIntegerProduct : LayerClass::kFloatProduct;
}

}  // namespace

LayerChanges layer_changes(const profile::Profile& before, const profile::Profile& after) {
  return Matcher().match(before, after);
}

std::string_view name_of(LayerClass kind) {
  switch (kind) {
    case LayerClass::kIntegerProduct:
      return "products on integers";
    case LayerClass::kFloatProduct:
      return "products in floating point";
    case LayerClass::kOtherLayer:
      return "other layers";
    case LayerClass::kQuantiseStep:
      return "quantise steps";
    case LayerClass::kReorder:
      return "reorders";
  }
  return "other layers";
}

std::vector<double> time_by_class(const LayerChanges& changes, bool after) {
  std::vector<double> ms(kLayerClasses, 0);
  const auto add = [&ms](LayerClass kind, double more) {
    ms[static_cast<std::size_t>(kind)] += more;
  };
  for (const LayerChange& change : changes.layers) {
    for (const ExecutedLayer& layer : after ? change.after : change.before) {
      add(class_of(layer), layer.ms);
    }
  }
  for (const LayerStep& step : changes.steps) {
    if (step.after != after) continue;
    const bool quantise = step.kind == LayerStep::Kind::kQuantise;
    const bool reorder = step.kind == LayerStep::Kind::kReorder;
    add(quantise  ? LayerClass::kQuantiseStep
        : reorder ? LayerClass::kReorder
                  : LayerClass::kOtherLayer,
        step.layer.ms);
  }
  return ms;
}

}  // namespace tachostat::app

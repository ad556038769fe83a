// What became of each layer of a network between two profiles of it: which executed layers do the
// same work in both, and what the second one runs besides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace tachostat::app {

struct ExecutedLayer {
  std::string name = {}, type = {}, kernel = {}, precision = {};
  double ms = 0;  // of a request, undisturbed
};

// Of layers that only one side has executed, the other side is empty.
struct LayerChange {
  std::string name = {};  // the model's layer that the others are fused to
  std::vector<ExecutedLayer> before = {}, after = {};
  double before_ms = 0, after_ms = 0;
  double gain_ms() const { return before_ms - after_ms; }
};

// What takes time and is no layer of the model's.
struct LayerStep {
  enum class Kind {
    kQuantise,  // rounding, as a step of its own
    kReorder,   // another layout or type
    kOther,
  };
  Kind kind = Kind::kOther;
  bool after = false;  // which side runs it
  ExecutedLayer layer = {};
};

struct LayerChanges {
  std::vector<LayerChange> layers = {};  // in order of execution before
  std::vector<LayerStep> steps = {};
};

// The model's layers are those that `before`, which must be without a recipe, names as originals.
// Layers that took no time are left out.
LayerChanges layer_changes(const profile::Profile& before, const profile::Profile& after);

// Where a request's time goes.
enum class LayerClass { kIntegerProduct, kFloatProduct, kOtherLayer, kQuantiseStep, kReorder };
inline constexpr int kLayerClasses = 5;
std::string_view name_of(LayerClass kind);
// ms by class.
std::vector<double> time_by_class(const LayerChanges& changes, bool after);

}  // namespace tachostat::app

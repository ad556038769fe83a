// Where a network could be quantised. Each Switch is one choice that can be made by itself; a set
// of switches that are on is a placement. What is legal follows OpenVINO's low-precision
// transformations; what pays is for measurements to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "model/steps.h"

namespace tachostat::optimize {

struct Switch {
  enum class Kind {
    kProduct,  // a convolution or matrix product runs on integers: its inputs and weights
    kJoin,     // one input of a sum, gate or concatenation is rounded
    kMove,     // the input of a layer that only moves or averages values is rounded
  };
  Kind kind = Kind::kProduct;
  int layer = 0;  // index into Graph::layers
  std::vector<model::Edge> activations = {};
  std::vector<model::Edge> weights = {};
  // No zero point: two activations are multiplied, or a sum follows a convolution (then the engine
  // can add inside that kernel).
  bool symmetric = false;
};
std::string_view name_of(Switch::Kind kind);

// In topological order. Edges behind layers that only move values (a reshape, a maximum) are put in
// front of those, so that they too move integers.
std::vector<Switch> find_switches(const model::Graph& graph);

}  // namespace tachostat::optimize

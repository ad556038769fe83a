// Did the engine do what a recipe asks for? Read from what was compiled, never from what was asked.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::engine {

struct IntegerLayers {
  int asked = 0;                       // layers whose weights the recipe rounds
  std::vector<std::string> left = {};  // of these, the ones that compute on floating-point numbers
};
IntegerLayers integer_layers(const model::Recipe& recipe, const Applied& applied);

}  // namespace tachostat::engine

// Counting a layer's operations and traffic from its types and shapes, by its operator's name.
#pragma once

#include "model/model.h"

namespace tachostat::model {

// What a count needs beyond types and shapes.
struct WorkHints {
  // Inputs that one output element of a pooling or an interpolation combines; 0: it copies one,
  // -1: unknown.
  double window = -1;
};

// Conventions: a multiply-add is two operations; element-wise functions count the arithmetic of
// their definition, with a transcendental function as one; biases inside recurrent cells and their
// gates' element-wise parts are left out. Views (Reshape and its like) move nothing.
Work count_work(const Layer& layer, const WorkHints& hints);

}  // namespace tachostat::model

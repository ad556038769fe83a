// What a model's layers would gain and pay if it multiplied in 8-bit integers.
#pragma once

#include <string_view>
#include <vector>

#include "diagnose/case.h"

namespace tachostat::diagnose {

// A convolution or matrix product in floating point that engines have integer kernels for. Those of
// depthwise convolutions have been seen to stay in floating point.
bool can_be_integer(const LayerFacts& layer);

// Of every layer that quantising the model changes, ascending. What multiplies gains; but where
// integers meet floating point, engines put a step that converts, and an activation that was part
// of a floating-point kernel may become a step of its own. Which of these can be fused is known
// only once it is compiled, so the low end pays for all of them and may be below zero, and the high
// end for none.
std::vector<Cut> cuts_by_integers(const Case& c);

// For summaries of findings whose low end is below zero.
inline constexpr std::string_view kMayLose =
    "; integers may lose here, since steps between them and floating point cost time too";

}  // namespace tachostat::diagnose

// Which other kernels the plugin has for a layer than the one that it chose.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "model/steps.h"

namespace tachostat::engine {

// For convolutions on x86 with AVX2 or AVX-512: the plugin prefers oneDNN's "brgconv" kernels, and
// "jit" ones are faster for some shapes; of these, the one made for 1×1 windows and the general
// one. Products that run on AMX are left alone, and so are other layers: the plugin ignores what
// they are told or falls back to slow kernels.
std::vector<model::Kernels> kernel_choices(const model::Graph& graph, const Applied& applied);

}  // namespace tachostat::engine

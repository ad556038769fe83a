#include "engine/openvino/kernels.h"

#include <array>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tachostat::engine {
namespace {

struct Choice {
  std::string_view set;  // of instructions, as it stands in kernels' names
  std::array<std::string_view, 3> kinds;
};

// The first that a layer has is taken. Windows of one by one, depthwise ones and all others have
// kernels of their own; the general ones can do the work of the first. "brgconv" cannot be asked
// for: its names are not among those that the plugin looks for.
constexpr std::array kChoices = {
    Choice{"avx512", {"jit_avx512_1x1", "jit_avx512_dw", "jit_avx512"}},
    Choice{"avx512", {"jit_avx512", "jit_avx512_dw", "jit_avx512_1x1"}},
    Choice{"avx2", {"jit_avx2_1x1", "jit_avx2_dw", "jit_avx2"}},
    Choice{"avx2", {"jit_avx2", "jit_avx2_dw", "jit_avx2_1x1"}},
};

// "brgconv_avx512_1x1_I8" and the like; empty: of another kind, which is left alone.
std::string_view set_of(std::string_view kernel) {
  const bool known = kernel.starts_with("brgconv_") || kernel.starts_with("jit_");
  if (!known || kernel.find("amx") != kernel.npos) return "";
  for (const std::string_view set : {"avx512", "avx2"}) {
    if (kernel.find(set) != kernel.npos) return set;
  }
  return "";
}

// Whether it is what that choice would take anyway.
bool is_taken(std::string_view kernel, const Choice& choice) {
  return kernel.substr(0, kernel.rfind('_')) == choice.kinds[0];
}

}  // namespace

std::vector<model::Kernels> kernel_choices(const model::Graph& graph, const Applied& applied) {
  std::unordered_set<std::string_view> convolutions;
  for (const model::Layer& layer : graph.layers) {
    const bool is_one = layer.type == "Convolution" || layer.type == "GroupConvolution";
    if (is_one) convolutions.insert(layer.name);
  }
  std::vector<model::Kernels> choices;
  for (const Choice& choice : kChoices) {
    model::Kernels kernels;
    for (const AppliedLayer& executed : applied.layers) {
      if (set_of(executed.kernel) != choice.set || is_taken(executed.kernel, choice)) continue;
      for (const std::string& original : executed.originals) {
        if (!convolutions.contains(original)) continue;
        kernels.layers.push_back({original, {choice.kinds.begin(), choice.kinds.end()}});
      }
    }
    if (!kernels.layers.empty()) choices.push_back(std::move(kernels));
  }
  return choices;
}

}  // namespace tachostat::engine

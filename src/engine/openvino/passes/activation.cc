#include "engine/openvino/passes/rewrites.h"
#include "engine/openvino/passes/scalar_function.h"

namespace tachostat::engine {

bool rewrite_activation(Network& network, const std::shared_ptr<ov::Node>& layer) {
  for (const ScalarFunction& function : scalar_functions(layer)) {
    const std::shared_ptr<ov::Node> one = one_layer_of(function);
    if (one == nullptr) continue;
    network.replace(layer->output(0), one);
    return true;
  }
  return false;
}

}  // namespace tachostat::engine

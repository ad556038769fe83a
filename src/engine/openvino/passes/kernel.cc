// OpenVINO honours a layer's "primitives_priority" only when it was read from a file: the class
// that holds it is the plugin's own. So layers are marked with a twin of that class, which is
// written under the same name; through_file() then makes the plugin's own of it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <openvino/core/runtime_attribute.hpp>
#include <openvino/pass/serialize.hpp>
#include <openvino/runtime/core.hpp>
#include <sstream>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"

namespace tachostat::engine {
namespace {

class PrimitivesPriority : public ov::RuntimeAttribute {
 public:
  OPENVINO_RTTI("primitives_priority", "0", ov::RuntimeAttribute)

  explicit PrimitivesPriority(std::string kinds) : kinds_(std::move(kinds)) {}
  bool visit_attributes(ov::AttributeVisitor& visitor) override {
    visitor.on_attribute("value", kinds_);
    return true;
  }

 private:
  std::string kinds_;
};

bool is_marked(const ov::Node& node) {
  return node.get_rt_info().contains(PrimitivesPriority::get_type_info_static());
}

// "cpu:jit_avx512_1x1,cpu:jit_avx512". A kind that the plugin does not know makes compiling fail.
std::string priority_of(const std::vector<std::string>& kinds) {
  return fmt::format("cpu:{}", fmt::join(kinds, ",cpu:"));
}

}  // namespace

absl::Status kernel(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Kernels kernels, model::kernels_from(arguments));
  for (const model::Kernels::Layer& layer : kernels.layers) {
    TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> node, network.layer(layer.layer));
    node->get_rt_info()[PrimitivesPriority::get_type_info_static()] =
        PrimitivesPriority(priority_of(layer.kinds));
  }
  return absl::OkStatus();
}

std::shared_ptr<ov::Model> through_file(ov::Core& core, const std::shared_ptr<ov::Model>& model) {
  const auto nodes = model->get_ops();
  if (std::none_of(nodes.begin(), nodes.end(), [](const auto& node) { return is_marked(*node); })) {
    return model;
  }
  std::ostringstream text;
  std::ostringstream constants;
  ov::pass::Serialize(text, constants).run_on_model(model);
  const std::string bytes = std::move(constants).str();
  ov::Tensor weights(ov::element::u8, {bytes.size()});
  std::memcpy(weights.data(), bytes.data(), bytes.size());
  return core.read_model(text.str(), weights);
}

}  // namespace tachostat::engine

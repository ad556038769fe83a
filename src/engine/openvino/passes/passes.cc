#include "engine/openvino/passes/passes.h"

#include <algorithm>
#include <array>
#include <openvino/op/util/op_types.hpp>

#include "base/status.h"

namespace tachostat::engine {
namespace {

struct Pass {
  std::string_view name;
  absl::Status (*apply)(Network&, std::string_view arguments);
};

constexpr std::array kPasses = {
    Pass{"expose", expose}, Pass{"quantise", quantise}, Pass{"shift", shift},
    Pass{"smooth", smooth}, Pass{"twin", twin},
};

}  // namespace

Network::Network(ov::Model& model) : model_(model) {
  for (const std::shared_ptr<ov::Node>& node : model.get_ordered_ops()) {
    if (!ov::op::util::is_parameter(node) && !ov::op::util::is_output(node)) {
      layers_.emplace(node->get_friendly_name(), node);
    }
  }
}

absl::StatusOr<std::shared_ptr<ov::Node>> Network::layer(const std::string& name) const {
  const auto found = layers_.find(name);
  if (found == layers_.end()) return base::not_found("the model has no layer '{}'", name);
  return found->second;
}

absl::StatusOr<ov::Input<ov::Node>> Network::edge(const model::Edge& edge) const {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> node, layer(edge.layer));
  if (static_cast<std::size_t>(edge.input) >= node->get_input_size()) {
    return base::not_found("layer '{}' has {} inputs, so none with number {}", edge.layer,
                           node->get_input_size(), edge.input);
  }
  return node->input(static_cast<std::size_t>(edge.input));
}

void Network::add(const std::string& name, const std::shared_ptr<ov::Node>& node) {
  node->set_friendly_name(name);
  layers_[name] = node;
}

absl::Status apply_recipe(ov::Model& network, const model::Recipe& recipe) {
  if (recipe.empty()) return absl::OkStatus();
  Network named(network);
  for (const model::Recipe::Step& step : recipe.steps()) {
    const auto pass = std::find_if(kPasses.begin(), kPasses.end(), [&step](const Pass& candidate) {
      return candidate.name == step.pass;
    });
    if (pass == kPasses.end()) {
      return base::invalid_argument("recipe '{}' needs a pass '{}', which openvino's engine lacks",
                                    recipe.name(), step.pass);
    }
    if (absl::Status status = pass->apply(named, step.arguments); !status.ok()) {
      return base::with_context(status,
                                fmt::format("recipe '{}', pass '{}'", recipe.name(), step.pass));
    }
  }
  network.validate_nodes_and_infer_types();
  return absl::OkStatus();
}

}  // namespace tachostat::engine

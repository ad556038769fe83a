#include "engine/openvino/passes/passes.h"

#include <algorithm>
#include <array>
#include <openvino/op/util/op_types.hpp>

#include "base/status.h"
#include "engine/openvino/passes/rewrites.h"

namespace tachostat::engine {
namespace {

struct Pass {
  std::string_view name;
  absl::Status (*apply)(Network&, std::string_view arguments);
};

constexpr std::array kPasses = {
    Pass{"expose", expose},     Pass{"kernel", kernel}, Pass{"prune", prune},
    Pass{"quantise", quantise}, Pass{"shift", shift},   Pass{"smooth", smooth},
    Pass{"twin", twin},
};

absl::Status apply(Network& network, const model::Recipe::Step& step) {
  if (is_rewrite(step.pass)) return rewrite(network, step);
  const auto* const pass =
      std::find_if(kPasses.begin(), kPasses.end(),
                   [&step](const Pass& candidate) { return candidate.name == step.pass; });
  if (pass == kPasses.end()) {
    return base::invalid_argument(
        "openvino's engine has no such pass: the recipe is of another "
        "version of this program");
  }
  return pass->apply(network, step.arguments);
}

}  // namespace

Network::Network(ov::Model& model) : model_(model) { name_layers(); }

void Network::name_layers() {
  layers_.clear();
  for (const std::shared_ptr<ov::Node>& node : model_.get_ordered_ops()) {
    if (!ov::op::util::is_parameter(node) && !ov::op::util::is_output(node)) {
      layers_.emplace(node->get_friendly_name(), node);
    }
  }
}

std::vector<std::string> Network::names() const {
  std::vector<std::string> names;
  for (const std::shared_ptr<ov::Node>& node : model_.get_ordered_ops()) {
    const auto found = layers_.find(node->get_friendly_name());
    if (found != layers_.end() && found->second == node) names.push_back(found->first);
  }
  return names;
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

void Network::replace(ov::Output<ov::Node> old, const std::shared_ptr<ov::Node>& node) {
  node->set_friendly_name(old.get_node()->get_friendly_name());
  const std::unordered_set<std::string> names = old.get_names();
  for (ov::Input<ov::Node> reader : old.get_target_inputs()) {
    reader.replace_source_output(node->output(0));
  }
  old.set_names({});
  node->output(0).set_names(names);
  name_layers();
}

absl::Status apply_recipe(ov::Model& network, const model::Recipe& recipe) {
  if (recipe.empty()) return absl::OkStatus();
  Network named(network);
  for (const model::Recipe::Step& step : recipe.steps()) {
    if (absl::Status status = apply(named, step); !status.ok()) {
      return base::with_context(status,
                                fmt::format("recipe '{}', pass '{}'", recipe.name(), step.pass));
    }
  }
  network.validate_nodes_and_infer_types();
  return absl::OkStatus();
}

}  // namespace tachostat::engine

#include "engine/openvino/passes/rewrites.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/status.h"

namespace tachostat::engine {
namespace {

struct Rule {
  std::string_view pass;
  bool (*rewrite)(Network&, const std::shared_ptr<ov::Node>&);
};

// In this order: a table takes the functions behind it along once they are one layer each.
constexpr std::array kRules = {
    Rule{"activation", rewrite_activation}, Rule{"table", rewrite_table},
    Rule{"squeeze", rewrite_squeeze},       Rule{"transpose", rewrite_transpose},
    Rule{"upsample", rewrite_upsample},
};

const Rule* find_rule(std::string_view pass) {
  const auto* const found = std::find_if(kRules.begin(), kRules.end(),
                                         [pass](const Rule& rule) { return rule.pass == pass; });
  return found == kRules.end() ? nullptr : found;
}

}  // namespace

bool is_rewrite(std::string_view pass) { return find_rule(pass) != nullptr; }

absl::Status rewrite(Network& network, const model::Recipe::Step& step) {
  TS_ASSIGN_OR_RETURN(const model::Rewrite wanted, model::rewrite_from(step));
  const Rule* const rule = find_rule(step.pass);
  for (const std::string& name : wanted.layers) {
    TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> layer, network.layer(name));
    if (!rule->rewrite(network, layer)) {
      return base::not_found("nothing to rewrite at layer '{}' ({})", name, layer->get_type_name());
    }
  }
  return absl::OkStatus();
}

std::vector<model::Rewrite> find_rewrites(ov::Model& model) {
  Network network(model);
  std::vector<model::Rewrite> found;
  for (const Rule& rule : kRules) {
    model::Rewrite rewrite{.pass = std::string(rule.pass)};
    // From the outputs on, so that the longest part is found first. By name: a layer may be gone.
    std::vector<std::string> names = network.names();
    std::reverse(names.begin(), names.end());
    for (const std::string& name : names) {
      const auto layer = network.layer(name);
      if (layer.ok() && rule.rewrite(network, *layer)) rewrite.layers.push_back(name);
    }
    if (!rewrite.layers.empty()) found.push_back(std::move(rewrite));
  }
  return found;
}

}  // namespace tachostat::engine

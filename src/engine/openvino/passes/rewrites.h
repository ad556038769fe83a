// Rules that write parts of a network more cheaply without changing what it computes (up to
// rounding). One rule is one file and one line in rewrites.cc. Which of them pay is measured by
// whoever asks for them.
#pragma once

#include <memory>
#include <openvino/core/node.hpp>
#include <vector>

#include "absl/status/status.h"
#include "engine/openvino/passes/passes.h"
#include "model/steps.h"

namespace tachostat::engine {

// Each rewrites the part that `layer` names to the rule (model::Rewrite), or leaves the network as
// it is and gives false. New layers have names that depend on the network alone. May throw what
// OpenVINO throws.
bool rewrite_activation(Network& network, const std::shared_ptr<ov::Node>& layer);
bool rewrite_table(Network& network, const std::shared_ptr<ov::Node>& layer);
bool rewrite_squeeze(Network& network, const std::shared_ptr<ov::Node>& layer);
bool rewrite_transpose(Network& network, const std::shared_ptr<ov::Node>& layer);
bool rewrite_upsample(Network& network, const std::shared_ptr<ov::Node>& layer);

bool is_rewrite(std::string_view pass);
// NotFound: a layer where the rule finds nothing.
absl::Status rewrite(Network& network, const model::Recipe::Step& step);

// What each rule finds, one rule after the other, each in what the former left. The network is
// rewritten.
std::vector<model::Rewrite> find_rewrites(ov::Model& network);

}  // namespace tachostat::engine

// An OpenVINO network as a Graph.
#pragma once

#include <openvino/core/model.hpp>
#include <string>

#include "absl/status/status.h"
#include "model/model.h"

namespace tachostat::model {

// Without a name of its own a port is called after its node; an output's node is made up, so after
// the layer before it.
std::string name_of_port(const ov::Output<const ov::Node>& port);

Port port_of(const ov::Output<const ov::Node>& port);

// Adds the network's ports and layers, with their work. InvalidArgument: an input without a rank.
absl::Status add_network(const ov::Model& network, Graph& graph);

}  // namespace tachostat::model

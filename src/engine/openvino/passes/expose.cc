#include <openvino/op/result.hpp>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"

namespace tachostat::engine {

absl::Status expose(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Expose expose, model::expose_from(arguments));
  ov::ResultVector results;
  for (const model::Edge& edge : expose.edges) {
    TS_ASSIGN_OR_RETURN(const ov::Input<ov::Node> input, network.edge(edge));
    auto result = std::make_shared<ov::op::v0::Result>(input.get_source_output());
    result->set_friendly_name(model::exposed_name(edge));
    results.push_back(std::move(result));
  }
  network.model().add_results(results);
  return absl::OkStatus();
}

}  // namespace tachostat::engine

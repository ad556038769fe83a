#include "engine/engine.h"

#include "model/steps.h"

namespace tachostat::engine {

absl::StatusOr<std::vector<model::Rewrite>> Engine::rewrites(const model::Graph& /*graph*/,
                                                             const model::InputShapes& /*shapes*/) {
  return std::vector<model::Rewrite>();
}

absl::StatusOr<model::Graph> Engine::rewritten(const model::Graph& graph,
                                               const model::InputShapes& /*shapes*/,
                                               const model::Recipe& /*recipe*/) {
  return graph;
}

std::vector<model::Kernels> Engine::kernel_choices(const model::Graph& /*graph*/,
                                                   const Applied& /*applied*/) {
  return {};
}

absl::StatusOr<std::vector<model::ChannelGroup>> Engine::channel_groups(
    const model::Graph& /*graph*/, const model::InputShapes& /*shapes*/,
    const model::Recipe& /*recipe*/) {
  return std::vector<model::ChannelGroup>();
}

}  // namespace tachostat::engine

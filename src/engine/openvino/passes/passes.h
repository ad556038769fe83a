// Applies a recipe to a network. One pass is one file and one line in passes.cc. May throw what
// OpenVINO throws.
#pragma once

#include <openvino/core/model.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/recipe.h"
#include "model/steps.h"

namespace ov {
class Core;
}

namespace tachostat::engine {

// The network's layers by the names that its Graph gives them.
class Network {
 public:
  explicit Network(ov::Model& model);

  ov::Model& model() { return model_; }
  // NotFound when the model has no such layer, or the layer no such input.
  absl::StatusOr<std::shared_ptr<ov::Node>> layer(const std::string& name) const;
  absl::StatusOr<ov::Input<ov::Node>> edge(const model::Edge& edge) const;
  // A layer that a pass made, for later steps to find. Its friendly name becomes `name`.
  void add(const std::string& name, const std::shared_ptr<ov::Node>& node);
  // All that read `old` read the only output of `node` instead, which takes over the names of
  // `old` and of its layer. Layers that nobody needs any more have no name from then on.
  void replace(ov::Output<ov::Node> old, const std::shared_ptr<ov::Node>& node);
  std::vector<std::string> names() const;  // in the order of computing

 private:
  void name_layers();

  ov::Model& model_;
  std::unordered_map<std::string, std::shared_ptr<ov::Node>> layers_;
};

// InvalidArgument or NotFound name the pass, the layer and what is wrong; then the network is
// half-changed and must be dropped.
absl::Status apply_recipe(ov::Model& network, const model::Recipe& recipe);

// The network with whatever only takes effect when it is read from a file; as it is where there is
// nothing of that kind.
std::shared_ptr<ov::Model> through_file(ov::Core& core, const std::shared_ptr<ov::Model>& model);

absl::Status kernel(Network& network, std::string_view arguments);
absl::Status prune(Network& network, std::string_view arguments);
absl::Status quantise(Network& network, std::string_view arguments);
absl::Status shift(Network& network, std::string_view arguments);
absl::Status smooth(Network& network, std::string_view arguments);
absl::Status twin(Network& network, std::string_view arguments);
absl::Status expose(Network& network, std::string_view arguments);

// What "shift" does to one layer; the sum's name is the layer's with `suffix`.
absl::Status shift_layer(const Network& network, const std::string& layer,
                         const std::vector<float>& by, std::string_view suffix);

}  // namespace tachostat::engine

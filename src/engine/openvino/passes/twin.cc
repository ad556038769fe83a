#include <numeric>
#include <openvino/op/constant.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/subtract.hpp>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

// All but the channels'.
absl::StatusOr<std::vector<std::int64_t>> other_axes(const ov::Node& layer) {
  const ov::Rank rank = layer.get_output_partial_shape(0).rank();
  if (rank.is_dynamic() || rank.get_length() < 2) {
    return base::invalid_argument("layer '{}' has no channels: its output is {}",
                                  layer.get_friendly_name(),
                                  layer.get_output_partial_shape(0).to_string());
  }
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank.get_length()));
  std::iota(axes.begin(), axes.end(), 0);
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(channel_axis(layer, axes.size())));
  return axes;
}

}  // namespace

absl::Status twin(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Twin twin, model::twin_from(arguments));
  ov::ResultVector results;
  for (const std::string& name : twin.layers) {
    TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> layer, network.layer(name));
    TS_ASSIGN_OR_RETURN(const std::vector<std::int64_t> axes, other_axes(*layer));
    const std::shared_ptr<ov::Node> copy = layer->clone_with_new_inputs(layer->input_values());
    network.add(model::twin_of(name), copy);
    const auto off = std::make_shared<ov::op::v1::Subtract>(copy, layer);
    const auto over = ov::op::v0::Constant::create(ov::element::i64, {axes.size()}, axes);
    const auto mean = std::make_shared<ov::op::v1::ReduceMean>(off, over, false);
    auto result = std::make_shared<ov::op::v0::Result>(mean);
    result->set_friendly_name(model::twin_of(name));
    results.push_back(std::move(result));
  }
  network.model().add_results(results);
  return absl::OkStatus();
}

}  // namespace tachostat::engine

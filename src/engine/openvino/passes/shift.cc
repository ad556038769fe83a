#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

// Broadcast along the layer's channels.
absl::StatusOr<ov::Shape> shape_for(const ov::Node& layer, std::size_t channels) {
  const ov::PartialShape& output = layer.get_output_partial_shape(0);
  if (output.rank().is_dynamic() || output.size() < 2) {
    return base::invalid_argument("layer '{}' has no channels: its output is {}",
                                  layer.get_friendly_name(), output.to_string());
  }
  const std::size_t axis = channel_axis(layer, output.size());
  if (!output[axis].compatible(static_cast<std::int64_t>(channels))) {
    return base::invalid_argument("layer '{}' has {} channels, found {} numbers to add",
                                  layer.get_friendly_name(), output[axis].to_string(), channels);
  }
  ov::Shape shape(output.size(), 1);
  shape[axis] = channels;
  return shape;
}

}  // namespace

absl::Status shift_layer(const Network& network, const std::string& layer,
                         const std::vector<float>& by, std::string_view suffix) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> node, network.layer(layer));
  TS_ASSIGN_OR_RETURN(const ov::Shape shape, shape_for(*node, by.size()));
  const auto readers = node->output(0).get_target_inputs();
  auto numbers = ov::op::v0::Constant::create(ov::element::f32, shape, by);
  auto sum = std::make_shared<ov::op::v1::Add>(node->output(0), numbers);
  sum->set_friendly_name(layer + std::string(suffix));
  for (ov::Input<ov::Node> reader : readers) reader.replace_source_output(sum->output(0));
  return absl::OkStatus();
}

absl::Status shift(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Shift shift, model::shift_from(arguments));
  for (const model::Shift::Layer& layer : shift.layers) {
    TS_RETURN_IF_ERROR(shift_layer(network, layer.layer, layer.by, "/shift"));
  }
  return absl::OkStatus();
}

}  // namespace tachostat::engine

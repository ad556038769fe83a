#include <algorithm>
#include <cmath>
#include <map>
#include <openvino/op/constant.hpp>
#include <openvino/op/multiply.hpp>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using ov::op::v0::Constant;

// A product's weights, and which channel of its input each element belongs to.
struct Weights {
  ov::Input<ov::Node> input;
  std::shared_ptr<Constant> constant;
  Digits channels;

  std::vector<float> values() const { return constant->cast_vector<float>(); }
};

absl::StatusOr<std::vector<Weights>> all_weights_of(const Network& network,
                                                    const model::Smooth::Group& group) {
  std::vector<Weights> all;
  for (const model::Edge& edge : group.weights) {
    TS_ASSIGN_OR_RETURN(const ov::Input<ov::Node> input, network.edge(edge));
    TS_ASSIGN_OR_RETURN(std::shared_ptr<Constant> constant, weights_of(input));
    const ov::Shape& shape = constant->get_shape();
    Digits channels(shape, input_axes(*input.get_node(), shape.size()));
    if (channels.count() != group.largest.size()) {
      return base::invalid_argument("layer '{}' has {} input channels, found {} numbers",
                                    edge.layer, channels.count(), group.largest.size());
    }
    all.push_back({input, std::move(constant), std::move(channels)});
  }
  return all;
}

std::vector<float> divisors(const std::vector<Weights>& all, const std::vector<float>& largest,
                            float strength) {
  std::vector<float> of_weights(largest.size(), 0.0F);
  for (const Weights& weights : all) {
    const auto found = largest_magnitudes(weights.values(), weights.channels);
    for (std::size_t c = 0; c < found.size(); ++c)
      of_weights[c] = std::max(of_weights[c], found[c]);
  }
  std::vector<float> by(largest.size(), 1.0F);
  for (std::size_t c = 0; c < by.size(); ++c) {
    if (!(largest[c] > 0) || !(of_weights[c] > 0)) continue;
    by[c] = std::pow(largest[c], strength) / std::pow(of_weights[c], 1 - strength);
  }
  return by;
}

absl::Status divide(const Network& network, const model::Smooth::Group& group,
                    const std::vector<float>& by) {
  std::vector<float> factors;
  for (const float divisor : by) factors.push_back(1 / divisor);
  std::map<std::pair<const ov::Node*, std::size_t>, std::shared_ptr<ov::Node>> made;
  for (const model::Edge& edge : group.activations) {
    TS_ASSIGN_OR_RETURN(ov::Input<ov::Node> input, network.edge(edge));
    const ov::PartialShape& entering = input.get_partial_shape();
    const std::size_t rank = entering.rank().is_static() ? entering.size() : 0;
    TS_ASSIGN_OR_RETURN(
        const ov::Shape shape,
        along_channels(entering, channel_axis(*input.get_node(), rank), by.size(), edge));
    const ov::Output<ov::Node> source = input.get_source_output();
    std::shared_ptr<ov::Node>& smoothed = made[{source.get_node(), source.get_index()}];
    if (smoothed == nullptr) {
      smoothed = std::make_shared<ov::op::v1::Multiply>(
          source, Constant::create(ov::element::f32, shape, factors));
      smoothed->set_friendly_name(fmt::format("{}:{}/smooth", edge.layer, edge.input));
    }
    input.replace_source_output(smoothed->output(0));
  }
  return absl::OkStatus();
}

void multiply(Weights& weights, const std::vector<float>& by) {
  std::vector<float> values = weights.values();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= by[weights.channels.of(i)];
  const auto scaled = Constant::create(ov::element::f32, weights.constant->get_shape(), values);
  scaled->set_friendly_name(weights.constant->get_friendly_name() + "/smooth");
  weights.input.replace_source_output(scaled->output(0));
}

}  // namespace

absl::Status smooth(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Smooth smooth, model::smooth_from(arguments));
  for (const model::Smooth::Group& group : smooth.groups) {
    TS_ASSIGN_OR_RETURN(std::vector<Weights> all, all_weights_of(network, group));
    const std::vector<float> by = divisors(all, group.largest, smooth.strength);
    TS_RETURN_IF_ERROR(divide(network, group, by));
    for (Weights& weights : all) multiply(weights, by);
  }
  return absl::OkStatus();
}

}  // namespace tachostat::engine

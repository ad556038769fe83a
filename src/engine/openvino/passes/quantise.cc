// Puts FakeQuantize operators where a recipe says; OpenVINO's low-precision transformations then
// make integer kernels of what they meet (notes on which: docs/design/recipe-format.md).
#include <algorithm>
#include <map>
#include <openvino/op/constant.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/opsets/opset5.hpp>
#include <tuple>

#include "base/status.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using ov::op::v0::Constant;
using ov::op::v0::FakeQuantize;

// What FakeQuantize computes (OpenVINO's specification of the operator), from plain operators.
std::shared_ptr<ov::Node> simulated(const ov::Output<ov::Node>& source, const ov::Shape& shape,
                                    const std::vector<float>& low, const std::vector<float>& high,
                                    int levels) {
  std::vector<float> steps;
  for (std::size_t i = 0; i < low.size(); ++i) {
    steps.push_back((high[i] - low[i]) / static_cast<float>(levels - 1));
  }
  const auto low_end = Constant::create(ov::element::f32, shape, low);
  const auto high_end = Constant::create(ov::element::f32, shape, high);
  const auto step = Constant::create(ov::element::f32, shape, steps);
  const auto within = std::make_shared<ov::op::v1::Minimum>(
      std::make_shared<ov::op::v1::Maximum>(source, low_end), high_end);
  const auto places = std::make_shared<ov::op::v1::Divide>(
      std::make_shared<ov::op::v1::Subtract>(within, low_end), step);
  const auto codes =
      std::make_shared<ov::op::v5::Round>(places, ov::op::v5::Round::RoundMode::HALF_TO_EVEN);
  return std::make_shared<ov::op::v1::Add>(std::make_shared<ov::op::v1::Multiply>(codes, step),
                                           low_end);
}

std::shared_ptr<ov::Node> fake_quantize(const ov::Output<ov::Node>& source, const ov::Shape& shape,
                                        const std::vector<float>& low,
                                        const std::vector<float>& high, int levels, bool simulate) {
  if (simulate) return simulated(source, shape, low, high, levels);
  const auto low_end = Constant::create(ov::element::f32, shape, low);
  const auto high_end = Constant::create(ov::element::f32, shape, high);
  return std::make_shared<FakeQuantize>(source, low_end, high_end, low_end, high_end,
                                        static_cast<std::size_t>(levels));
}

absl::StatusOr<ov::Shape> range_shape(const ov::Output<ov::Node>& source, std::size_t count,
                                      const model::Edge& edge) {
  if (count == 1) return ov::Shape{};
  return along_channels(source.get_partial_shape(), 1, count, edge);
}

// One quantiser serves all edges with the same source and range: two would be two steps.
class Activations {
 public:
  explicit Activations(bool simulate) : simulate_(simulate) {}

  absl::Status add(Network& network, const model::Quantise::Activation& activation) {
    TS_ASSIGN_OR_RETURN(ov::Input<ov::Node> input, network.edge(activation.edge));
    const ov::Output<ov::Node> source = input.get_source_output();
    if (source.get_element_type() != ov::element::f32 &&
        source.get_element_type() != ov::element::f16) {
      return base::invalid_argument("input {} of layer '{}' is of type {}: only f32 is quantised",
                                    activation.edge.input, activation.edge.layer,
                                    source.get_element_type().to_string());
    }
    const Key key{source.get_node(), source.get_index(), activation.low, activation.high,
                  activation.levels};
    std::shared_ptr<ov::Node>& quantiser = made_[key];
    if (quantiser == nullptr) {
      TS_ASSIGN_OR_RETURN(const ov::Shape shape,
                          range_shape(source, activation.low.size(), activation.edge));
      quantiser = fake_quantize(source, shape, activation.low, activation.high, activation.levels,
                                simulate_);
      quantiser->set_friendly_name(
          fmt::format("{}:{}/quantise", activation.edge.layer, activation.edge.input));
    }
    input.replace_source_output(quantiser->output(0));
    return absl::OkStatus();
  }

 private:
  using Key = std::tuple<const ov::Node*, std::size_t, std::vector<float>, std::vector<float>, int>;
  const bool simulate_;
  std::map<Key, std::shared_ptr<ov::Node>> made_;
};

absl::Status quantise_weight(Network& network, const model::Quantise::Weight& weight,
                             bool simulate) {
  TS_ASSIGN_OR_RETURN(ov::Input<ov::Node> input, network.edge(weight.edge));
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<Constant> constant, weights_of(input));
  const ov::Shape& shape = constant->get_shape();
  const std::vector<float> values = constant->cast_vector<float>();
  const Digits outputs(shape, output_axes(*input.get_node(), shape.size()));
  std::vector<float> high = largest_magnitudes(values, outputs);
  const float overall = *std::max_element(high.begin(), high.end());
  // A channel of zeros still needs a range.
  const float least = overall > 0 ? overall * 1e-6F : 1.0F;
  std::vector<float> low;
  for (float& end : high) {
    end = std::max(end, least) * weight.headroom;
    low.push_back(-end);
  }
  auto plain = constant->get_element_type() == ov::element::f32
                   ? constant
                   : Constant::create(ov::element::f32, shape, values);
  const auto quantiser = fake_quantize(plain, outputs.shape(), low, high, weight.levels, simulate);
  quantiser->set_friendly_name(fmt::format("{}:{}/quantise", weight.edge.layer, weight.edge.input));
  input.replace_source_output(quantiser->output(0));
  return absl::OkStatus();
}

}  // namespace

absl::Status quantise(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Quantise quantise, model::quantise_from(arguments));
  Activations activations(quantise.simulated);
  for (const model::Quantise::Activation& activation : quantise.activations) {
    TS_RETURN_IF_ERROR(activations.add(network, activation));
  }
  for (const model::Quantise::Weight& weight : quantise.weights) {
    TS_RETURN_IF_ERROR(quantise_weight(network, weight, quantise.simulated));
  }
  return absl::OkStatus();
}

}  // namespace tachostat::engine

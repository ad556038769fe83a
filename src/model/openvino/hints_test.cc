#include "model/openvino/hints.h"

#include <gtest/gtest.h>

#include <openvino/opsets/opset.hpp>
#include <openvino/opsets/opset9.hpp>
#include <set>

#include "model/openvino/network.h"

namespace tachostat::model {
namespace {

namespace op = ov::opset9;

std::shared_ptr<op::Parameter> parameter(const ov::PartialShape& shape) {
  return std::make_shared<op::Parameter>(ov::element::f32, shape);
}

Graph graph_of(const ov::OutputVector& outputs, const ov::ParameterVector& inputs) {
  Graph graph;
  EXPECT_TRUE(add_network(ov::Model(outputs, inputs), graph).ok());
  return graph;
}

std::shared_ptr<op::Constant> numbers(const std::vector<std::int64_t>& values) {
  return op::Constant::create(ov::element::i64, {values.size()}, values);
}

TEST(Operators, EachOfEveryOperatorSetIsKnown) {
  const std::set<std::string> ports = {"Constant", "Parameter", "Result"};
  ASSERT_GE(ov::get_available_opsets().size(), 15U);
  for (const auto& [name, get] : ov::get_available_opsets()) {
    for (const ov::NodeTypeInfo& type : get().get_types_info()) {
      if (!ports.contains(type.name)) {
        EXPECT_TRUE(knows_operator(type.name)) << type.name << " of " << name;
      }
    }
  }
}

TEST(Hints, EinsumMultipliesItsLetters) {
  EXPECT_EQ(einsum_multiply_adds("bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}}), 2 * 3 * 4 * 5);
  EXPECT_EQ(einsum_multiply_adds("i, i ->", {{7}, {7}}), 7);
  EXPECT_EQ(einsum_multiply_adds("...ij,...jk->...ik", {{6, 2, 3, 4}, {6, 2, 4, 5}}),
            6 * 2 * 3 * 4 * 5);
  EXPECT_EQ(einsum_multiply_adds("ij...,jk->ik...", {{3, 4, 9}, {4, 5}}), 3 * 4 * 5 * 9);
  EXPECT_EQ(einsum_multiply_adds("ij,jk->ik", {{3, kDynamic}, {4, 5}}), -1);
  EXPECT_EQ(einsum_multiply_adds("ij,jk->ik", {{3, 4, 5}, {4, 5}}), -1);
  EXPECT_EQ(einsum_multiply_adds("", {{3}}), -1);
}

TEST(Hints, LoopCountsItsBodyOncePerTrip) {
  const auto x = parameter({10, 4, 8});
  const auto inner = parameter({1, 4, 8});
  const auto weights = op::Constant::create(ov::element::f32, {8, 8}, {1.0F});
  const auto product = std::make_shared<op::MatMul>(inner, weights);
  const auto body =
      std::make_shared<ov::Model>(ov::OutputVector{product}, ov::ParameterVector{inner});
  const auto iterator = std::make_shared<op::TensorIterator>();
  iterator->set_body(body);
  iterator->set_sliced_input(inner, x, 0, 1, 1, -1, 0);
  iterator->get_concatenated_slices(body->get_results()[0], 0, 1, 1, -1, 0);
  iterator->validate_and_infer_types();
  const Graph graph = graph_of({iterator->output(0)}, {x});
  ASSERT_EQ(graph.layers.size(), 1U);
  EXPECT_EQ(graph.layers[0].work.flops, 10 * 2.0 * 4 * 8 * 8);
  EXPECT_EQ(graph.layers[0].work.weight_bytes, 10 * 4.0 * 8 * 8);
  EXPECT_EQ(graph.layers[0].work.input_bytes, 10 * 4.0 * 4 * 8);
}

TEST(Hints, LoopWithoutAKnownEndIsUnknown) {
  const auto x = parameter({ov::Dimension(), 4});
  const auto inner = parameter({1, 4});
  const auto body = std::make_shared<ov::Model>(ov::OutputVector{std::make_shared<op::Relu>(inner)},
                                                ov::ParameterVector{inner});
  const auto iterator = std::make_shared<op::TensorIterator>();
  iterator->set_body(body);
  iterator->set_sliced_input(inner, x, 0, 1, 1, -1, 0);
  iterator->get_concatenated_slices(body->get_results()[0], 0, 1, 1, -1, 0);
  iterator->validate_and_infer_types();
  const Graph graph = graph_of({iterator->output(0)}, {x});
  EXPECT_EQ(graph.layers[0].work.flops, -1);
  EXPECT_EQ(graph.layers[0].work.bytes(), -1);
}

TEST(Hints, IfCountsItsLargerBranch) {
  const auto x = parameter({4, 8});
  const auto condition = std::make_shared<op::Parameter>(ov::element::boolean, ov::Shape{});
  const auto branch = [](auto make) {
    const auto inner = parameter({4, 8});
    return std::make_shared<ov::Model>(ov::OutputVector{make(inner)}, ov::ParameterVector{inner});
  };
  const auto then = branch([](const auto& value) { return std::make_shared<op::Relu>(value); });
  const auto otherwise =
      branch([](const auto& value) { return std::make_shared<op::Softmax>(value, 1); });
  const auto made = std::make_shared<op::If>(condition);
  made->set_then_body(then);
  made->set_else_body(otherwise);
  made->set_input(x, then->get_parameters()[0], otherwise->get_parameters()[0]);
  const auto out = made->set_output(then->get_results()[0], otherwise->get_results()[0]);
  const Graph graph = graph_of({out}, {x, condition});
  EXPECT_EQ(graph.layers[0].work.flops, 5 * 32);
}

TEST(Hints, FourierTransformsCountTheirAxes) {
  const auto x = parameter({3, 16, 2});
  const auto dft = std::make_shared<op::DFT>(x, numbers({-1}));
  EXPECT_EQ(graph_of({dft}, {x}).layers[0].work.flops, 3 * 5.0 * 16 * 4);
  const auto real = parameter({3, 16});
  const auto rdft = std::make_shared<op::RDFT>(real, numbers({1}));
  EXPECT_EQ(graph_of({rdft}, {real}).layers[0].work.flops, 3 * 2.5 * 16 * 4);
  const auto irdft = std::make_shared<op::IRDFT>(rdft, numbers({1}));
  EXPECT_EQ(graph_of({irdft}, {real}).layers[1].work.flops, 3 * 2.5 * 16 * 4);
}

TEST(Hints, WindowsOfResponsesRegionsAndGrids) {
  const auto x = parameter({1, 8, 4, 4});
  const auto lrn = std::make_shared<op::LRN>(x, numbers({1}), 1e-4, 0.75, 1.0, 5);
  EXPECT_EQ(graph_of({lrn}, {x}).layers[0].work.flops, 13.0 * 128);
  const auto grid = parameter({1, 2, 3, 2});
  const auto sample = std::make_shared<op::GridSample>(x, grid, op::GridSample::Attributes());
  EXPECT_EQ(graph_of({sample}, {x, grid}).layers[0].work.flops, 8.0 * 8 * 6);
  const auto boxes = parameter({5, 4});
  const auto align = std::make_shared<op::ROIAlign>(x, boxes, numbers({0, 0, 0, 0, 0}), 2, 2, 2,
                                                    1.0F, op::ROIAlign::PoolingMode::AVG);
  EXPECT_EQ(graph_of({align}, {x, boxes}).layers[0].work.flops, 5.0 * 8 * 4 * 2 * 16);
}

}  // namespace
}  // namespace tachostat::model

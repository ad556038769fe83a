// Totals against what is published of well-known networks.
#include <gtest/gtest.h>

#include "model/openvino/architectures.h"
#include "model/openvino/network.h"

namespace tachostat::model {
namespace {

Graph graph_of(const ov::Model& network) {
  Graph graph;
  EXPECT_TRUE(add_network(network, graph).ok());
  return graph;
}

// Convolutions and matrix products, as published counts have it.
double multiply_adds(const Graph& graph) {
  double flops = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.type == "MatMul" || layer.type.ends_with("Convolution")) flops += layer.work.flops;
  }
  return flops / 2;
}

double weight_bytes(const Graph& graph) {
  double bytes = 0;
  for (const Layer& layer : graph.layers) bytes += layer.work.weight_bytes;
  return bytes;
}

double all_flops(const Graph& graph) {
  double flops = 0;
  for (const Layer& layer : graph.layers) {
    EXPECT_GE(layer.work.flops, 0) << layer.type;
    EXPECT_GE(layer.work.bytes(), 0) << layer.type;
    flops += layer.work.flops;
  }
  return flops;
}

void expect_within(double percent, double found, double published) {
  EXPECT_NEAR(found, published, published * percent / 100);
}

// torchvision's table: 4.09 billion multiply-adds, 25,557,032 parameters (53,120 of them are the
// running means and variances' counterparts that inference reads too).
TEST(PublishedCounts, Resnet50) {
  const Graph graph = graph_of(*resnet50());
  expect_within(1, multiply_adds(graph), 4.09e9);
  expect_within(1, weight_bytes(graph), 4 * 25.557e6);
  expect_within(1, all_flops(graph), 2 * 4.09e9);
}

// The paper's and torchvision's: 300 million multiply-adds, 3,504,872 parameters.
TEST(PublishedCounts, MobilenetV2) {
  const Graph graph = graph_of(*mobilenet_v2());
  expect_within(1, multiply_adds(graph), 300.8e6);
  expect_within(1, multiply_adds(graph), 0.30e9);
  expect_within(2, weight_bytes(graph), 4 * 3.505e6);
  // Batch normalisations and clamps are no products, but they are work.
  EXPECT_GT(all_flops(graph), 2 * multiply_adds(graph));
}

// 22.5 billion operations at 128 tokens: Jiao et al., "TinyBERT", table 1, and Sun et al.,
// "MobileBERT", table 4.
TEST(PublishedCounts, BertBase) {
  const Graph graph = graph_of(*bert_base(128));
  expect_within(1, all_flops(graph), 22.5e9);
  // By hand: per token and layer 4 h² + 8 h², and twice tokens × h for the scores and the mix.
  const double h = 768;
  expect_within(0.1, multiply_adds(graph), 128 * 12 * (12 * h * h + 2 * 128 * h) + h * h);
}

}  // namespace
}  // namespace tachostat::model

// What the engine executes, added up, is what the model's graph adds up to: layers that it fuses
// are neither lost nor counted twice.
#include <gtest/gtest.h>

#include <filesystem>
#include <openvino/core/graph_util.hpp>
#include <set>

#include "app/engines.h"
#include "app/evidence.h"
#include "model/openvino/architectures.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;

struct Totals {
  double flops = 0;
  double weight_bytes = 0;
  double activation_bytes = 0;

  void add(const model::Work& work) {
    flops += std::max(0.0, work.flops);
    weight_bytes += std::max(0.0, work.weight_bytes);
    activation_bytes += std::max(0.0, work.input_bytes) + std::max(0.0, work.output_bytes);
  }
};

struct Compared {
  Totals graph, executed;
  std::size_t layers = 0, executed_layers = 0;
};

class ExecutedWork : public testing::Test {
 public:
  ExecutedWork() : folder_(fs::path(testing::TempDir()) / fs::path("executed_work_" + name())) {
    fs::create_directories(folder_);
  }
  ~ExecutedWork() override { fs::remove_all(folder_); }

 protected:
  void compare(const std::shared_ptr<ov::Model>& network, Compared& compared) const {
    const std::string path = folder_ / "model.xml";
    ov::serialize(network, path, folder_ / "model.bin");
    const auto graph = model::read(path);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const auto engine = make_engine("openvino");
    ASSERT_TRUE(engine.ok()) << engine.status();
    const auto session = (*engine)->load(*graph, {.precision = model::Precision::kF32}, nullptr);
    ASSERT_TRUE(session.ok()) << session.status();
    const profile::SessionInfo info =
        session_info(*graph, graph->inputs, (*session)->variant(), (*session)->applied());
    for (const model::Layer& layer : graph->layers) compared.graph.add(layer.work);
    for (const auto& layer : info.layers) compared.executed.add(layer.work);
    compared.layers = graph->layers.size();
    compared.executed_layers = info.layers.size();
  }

 private:
  static std::string name() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  const fs::path folder_;
};

void expect_same_work(const Compared& compared) {
  EXPECT_LT(compared.executed_layers, compared.layers);
  EXPECT_NEAR(compared.executed.flops, compared.graph.flops, 0.01 * compared.graph.flops);
  EXPECT_NEAR(compared.executed.weight_bytes, compared.graph.weight_bytes,
              0.01 * compared.graph.weight_bytes);
  // Fusion is there to save traffic.
  EXPECT_LT(compared.executed.activation_bytes, 0.7 * compared.graph.activation_bytes);
  EXPECT_GT(compared.executed.activation_bytes, 0);
}

TEST_F(ExecutedWork, OfResnet50IsThatOfItsGraph) {
  Compared compared;
  compare(model::resnet50(), compared);
  expect_same_work(compared);
}

TEST_F(ExecutedWork, OfMobilenetV2IsThatOfItsGraph) {
  Compared compared;
  compare(model::mobilenet_v2(), compared);
  expect_same_work(compared);
}

TEST_F(ExecutedWork, OfATransformerIsThatOfItsGraph) {
  Compared compared;
  compare(model::bert_base(32, 2), compared);
  expect_same_work(compared);
}

}  // namespace
}  // namespace tachostat::app

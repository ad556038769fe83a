// What keeps a quantised model accurate, on small networks in the real engine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openvino/opsets/opset13.hpp>

#include <cmath>
#include <filesystem>
#include <openvino/openvino.hpp>
#include <random>

#include "engine/openvino/openvino.h"
#include "model/steps.h"
#include "optimize/quantise/correct.h"
#include "optimize/quantise/placement.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;
namespace op = ov::opset13;

constexpr std::size_t kRows = 32;
constexpr std::size_t kChannels = 8;
constexpr std::size_t kSamples = 12;

engine::Engine& engine() {
  static const auto made = engine::make_openvino();
  return **made;
}

// A matrix product of seeded samples, whose first channel is `first` times as large as the others.
class AccuracyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / fmt::format("acc_{}_{}", test->name(), getpid());
    fs::create_directories(folder_);
    auto x = std::make_shared<op::Parameter>(ov::element::f32, ov::Shape{1, kRows, kChannels});
    x->output(0).set_names({"x"});
    std::mt19937 random(3);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(kChannels * kChannels);
    for (float& value : values) value = uniform(random);
    auto weights = op::Constant::create(ov::element::f32, {kChannels, kChannels}, values);
    auto product = std::make_shared<op::MatMul>(x, weights);
    product->set_friendly_name("product");
    auto y = std::make_shared<op::Relu>(product);
    y->output(0).set_names({"y"});
    const std::string xml = (folder_ / "net.xml").string();
    ov::serialize(std::make_shared<ov::Model>(ov::OutputVector{y}, ov::ParameterVector{x}), xml,
                  (folder_ / "net.bin").string());
    graph_ = *model::read(xml);
    switches_ = optimize::find_switches(graph_);
    placement_.assign(switches_.size(), true);
  }
  void TearDown() override { fs::remove_all(folder_); }

  optimize::Samples samples(float first) const {
    const auto at = [first](std::size_t i) -> absl::StatusOr<std::vector<engine::Tensor>> {
      std::mt19937 random(static_cast<unsigned>(100 + i));
      std::uniform_real_distribution<float> uniform(0, 1);
      auto values = std::make_shared<std::vector<float>>(kRows * kChannels);
      for (float& value : *values) value = uniform(random);
      for (std::size_t k = 0; k < values->size(); k += kChannels) (*values)[k] *= first;
      return std::vector<engine::Tensor>{{.name = "x",
                                          .type = model::DataType::kF32,
                                          .shape = {1, kRows, kChannels},
                                          .data = std::as_bytes(std::span(*values)),
                                          .owner = values}};
    };
    return {kSamples, at};
  }

  optimize::Calibration calibration(const optimize::Samples& samples) const {
    std::vector<model::Edge> edges;
    for (const optimize::Switch& one : switches_) {
      edges.insert(edges.end(), one.activations.begin(), one.activations.end());
    }
    return *optimize::calibrate(engine(), graph_, edges, samples, {.variant = f32()});
  }

  model::Recipe recipe(const optimize::Calibration& calibration,
                       const optimize::QuantiseOptions& options) const {
    return *optimize::recipe_of(graph_, switches_, placement_, calibration, options);
  }

  static model::Variant f32() { return {.precision = model::Precision::kF32, .threads = 1}; }

  // Of all samples, by output channel: what the recipe's numbers are above f32's.
  std::vector<double> deviations(const model::Recipe& recipe, const optimize::Samples& samples,
                                 double& squares) const {
    model::Variant variant = f32();
    const auto plain = *engine().load(graph_, variant, nullptr);
    variant.recipe = recipe;
    const auto rounded = *engine().load(graph_, variant, nullptr);
    std::vector<double> sums(kChannels, 0);
    squares = 0;
    for (std::size_t i = 0; i < samples.count; ++i) {
      const auto a = *optimize::infer(*plain, *samples.at(i));
      const auto b = *optimize::infer(*rounded, *samples.at(i));
      const auto* const x = reinterpret_cast<const float*>(a[0].data.data());
      const auto* const y = reinterpret_cast<const float*>(b[0].data.data());
      for (std::size_t k = 0; k < kRows * kChannels; ++k) {
        sums[k % kChannels] += static_cast<double>(y[k]) - x[k];
        squares += std::pow(static_cast<double>(y[k]) - x[k], 2);
      }
    }
    for (double& sum : sums) sum /= static_cast<double>(samples.count * kRows);
    return sums;
  }

  fs::path folder_;
  model::Graph graph_;
  std::vector<optimize::Switch> switches_;
  optimize::Placement placement_;
};

double size_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum;
}

TEST_F(AccuracyTest, CorrectedMeansLieNearerToTheF32Ones) {
  const optimize::Samples data = samples(1);
  // Weights of few levels: all of a channel's are off by much.
  const model::Recipe rough = recipe(calibration(data), {.weight_headroom = 16});
  const auto corrected = optimize::correct_means(engine(), graph_, graph_, switches_, placement_,
                                                 rough, data, {.variant = f32()});
  ASSERT_TRUE(corrected.ok()) << corrected.status();
  ASSERT_EQ(corrected->steps().back().pass, "shift");
  double ignored = 0;
  const double before = size_of(deviations(rough, data, ignored));
  const double after = size_of(deviations(*corrected, data, ignored));
  EXPECT_GT(before, 0.01);
  EXPECT_LT(after, before / 3);
}

TEST_F(AccuracyTest, SmoothingHelpsWhereOneChannelIsMuchLarger) {
  const optimize::Samples data = samples(100);
  const optimize::Calibration found = calibration(data);
  optimize::QuantiseOptions options;
  const model::Recipe plain = recipe(found, options);
  auto smoothing = optimize::smoothing_of(engine(), graph_, graph_, switches_, placement_, found,
                                          data, {.variant = f32()});
  ASSERT_TRUE(smoothing.ok()) << smoothing.status();
  ASSERT_FALSE(smoothing->empty());
  options.smoothing = std::make_shared<const optimize::Smoothing>(*std::move(smoothing));
  const model::Recipe smooth = recipe(found, options);
  ASSERT_EQ(smooth.steps().front().pass, "smooth");
  double before = 0;
  double after = 0;
  deviations(plain, data, before);
  deviations(smooth, data, after);
  EXPECT_LT(after, before / 2);
}

TEST_F(AccuracyTest, NothingOnGivesNothingToMend) {
  const optimize::Samples data = samples(1);
  const optimize::Placement none(switches_.size(), false);
  const auto smoothing = optimize::smoothing_of(engine(), graph_, graph_, switches_, none,
                                                calibration(data), data, {.variant = f32()});
  ASSERT_TRUE(smoothing.ok()) << smoothing.status();
  EXPECT_TRUE(smoothing->empty());
  const auto corrected = optimize::correct_means(engine(), graph_, graph_, switches_, none, {},
                                                 data, {.variant = f32()});
  ASSERT_TRUE(corrected.ok()) << corrected.status();
  EXPECT_TRUE(corrected->empty());
}

}  // namespace
}  // namespace tachostat::app

#include "verify/metrics/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <openvino/core/graph_util.hpp>
#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>

#include "base/status.h"
#include "verify/data/test_data.h"

namespace tachostat::verify {
namespace {

using engine::Tensor;
using model::DataType;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Tensor output(model::Shape shape, const std::vector<float>& values) {
  auto kept = std::make_shared<std::vector<float>>(values);
  return {"y", DataType::kF32, std::move(shape), std::as_bytes(std::span(*kept)), kept};
}

// Data of `labels` (a whole .npy, or nothing) and a model with one output.
struct Bench {
  explicit Bench(model::Shape output_shape, const std::string& labels = {},
                 std::int64_t samples = 2)
      : graph(model_of({1, 1}, {{"y", DataType::kF32, std::move(output_shape)}})) {
    std::map<std::string, std::string> members = {
        {"x", f32({samples, 1}, std::vector<float>(static_cast<std::size_t>(samples)))}};
    if (!labels.empty()) members["labels"] = labels;
    data = Dataset::open(folder.npz("d.npz", members), graph).value();
  }
  absl::StatusOr<std::unique_ptr<const Metric>> make(std::string_view text,
                                                     const MetricOptions& options = {}) const {
    return make_metric(text, *data, graph, options);
  }
  std::string refusal(std::string_view text) const {
    const auto metric = make(text);
    return metric.ok() ? "it was made" : std::string(base::message_of(metric.status()));
  }
  // The score of one sample's output.
  double score(std::string_view text, const Tensor& found, const Tensor* wanted = nullptr,
               std::size_t sample = 0) const {
    const auto metric = make(text);
    EXPECT_TRUE(metric.ok()) << metric.status();
    const auto judge = (*metric)->judge();
    const absl::Status added =
        judge->add({sample, {&found, 1}, {wanted, wanted == nullptr ? 0u : 1u}});
    EXPECT_TRUE(added.ok()) << added;
    return judge->finish()->at(0).value;
  }

  TestFolder folder;
  model::Graph graph;
  std::unique_ptr<const Dataset> data;
};

std::string classes(const std::vector<std::int64_t>& labels) {
  return npy("<i8", {static_cast<std::int64_t>(labels.size())}, labels);
}
std::string texts(std::string_view first, std::string_view second) {
  std::vector<std::uint32_t> codes(16);
  for (std::size_t i = 0; i < first.size(); ++i) codes[i] = static_cast<unsigned char>(first[i]);
  for (std::size_t i = 0; i < second.size(); ++i) {
    codes[8 + i] = static_cast<unsigned char>(second[i]);
  }
  return npy("<U8", {2}, codes);
}

TEST(Metric, ThatIsUnknownNamesAll) {
  const Bench bench({1, 3});
  EXPECT_THAT(bench.refusal("accuracy"), HasSubstr("top1, top5, text"));
  EXPECT_THAT(bench.refusal("top1:3"), HasSubstr("expected one of"));
  EXPECT_THAT(bench.refusal("program"), HasSubstr("program:COMMAND"));
}

TEST(Top, CountsTheLabelAmongTheLargest) {
  const Bench bench({1, 7}, classes({2, 6}));
  const Tensor found = output({1, 7}, {0, 5, 6, 4, 3, 2, 1});
  EXPECT_EQ(bench.score("top1", found), 1);
  EXPECT_EQ(bench.score("top1", found, nullptr, 1), 0);
  EXPECT_EQ(bench.score("top5", found, nullptr, 1), 0);
  EXPECT_EQ(bench.score("top5", output({1, 7}, {9, 9, 9, 9, 0, 0, 1}), nullptr, 1), 1);
}

TEST(Top, WithoutLabelsAsksTheReference) {
  const Bench bench({1, 3});
  const Tensor wanted = output({1, 3}, {0, 2, 1});
  EXPECT_TRUE((*bench.make("top1"))->needs_reference());
  EXPECT_EQ(bench.score("top1", output({1, 3}, {1, 3, 2}), &wanted), 1);
  EXPECT_EQ(bench.score("top1", output({1, 3}, {1, 3, 4}), &wanted), 0);
}

TEST(Top, RefusesLabelsThatTheModelLacks) {
  EXPECT_THAT(Bench({1, 3}, classes({2, 3})).refusal("top1"),
              HasSubstr("label 3 of sample 1: output 'y' [1,3] has classes 0 to 2"));
  EXPECT_THAT(Bench({1, 3}, texts("a", "b")).refusal("top1"), HasSubstr("has texts"));
  EXPECT_THAT(Bench({1, 1, 4, 4}, classes({0, 1})).refusal("top1"), HasSubstr("no output"));
}

// Steps that say class 1, 1 again, blank, 1, 2.
Tensor steps() { return output({1, 5, 3}, {0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}); }

TEST(Text, ReadsGreedilyAndCountsCharacters) {
  const Bench bench({1, model::kDynamic, 3}, texts("aab", "aaxb"));
  const std::string alphabet = "text:" + bench.folder.write("alphabet.txt", "a\nb\n");
  EXPECT_EQ(bench.score(alphabet, steps()), 1);
  EXPECT_EQ(bench.score(alphabet, steps(), nullptr, 1), 0.75);
  // The labels use as many characters as there are classes beside the blank, and an x.
  EXPECT_THAT(bench.refusal("text"), HasSubstr("text:FILE"));
}

TEST(Text, TakesTheAlphabetFromTheModelsOwnMetadata) {
  Bench bench({1, model::kDynamic, 3}, texts("aab", "aaxb"));
  bench.graph.path = bench.folder.path("m.xml");
  const auto x = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::Shape{1, 1});
  const auto network = std::make_shared<ov::Model>(
      ov::OutputVector{std::make_shared<ov::op::v0::Relu>(x)}, ov::ParameterVector{x});
  network->set_rt_info(std::string("a\nb"), "framework", "character");
  ov::serialize(network, bench.graph.path);
  EXPECT_EQ(bench.score("text", steps()), 1);
}

TEST(Text, TakesTheAlphabetFromLabelsThatFit) {
  const Bench bench({1, model::kDynamic, 3}, texts("aab", "ba"));
  EXPECT_EQ(bench.score("text", steps()), 1);
}

TEST(Text, AppendsTheSpaceThatPaddleLeavesOut) {
  const Bench bench({1, model::kDynamic, 3}, texts("aa ", "x"));
  const std::string one = "text:" + bench.folder.write("one.txt", "a\n");
  EXPECT_EQ(bench.score(one, steps()), 1);
  const std::string four = "text:" + bench.folder.write("four.txt", "a\nb\nc\nd\n");
  EXPECT_THAT(bench.refusal(four), HasSubstr("the alphabet has 4 characters, the model 3"));
}

TEST(Text, WithoutLabelsComparesWithTheReference) {
  const Bench bench({1, model::kDynamic, 3});
  const Tensor wanted = steps();
  EXPECT_EQ(bench.score("text", steps(), &wanted), 1);
  const Tensor other = output({1, 5, 3}, {0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1});
  EXPECT_NEAR(bench.score("text", other, &wanted), 2.0 / 3, 1e-12);
}

TEST(Map, IsIntersectionOverUnion) {
  const Bench bench({1, 1, 2, 2});
  const Tensor wanted = output({1, 1, 2, 2}, {0.9f, 0.8f, 0.1f, 0});
  EXPECT_NEAR(bench.score("map", output({1, 1, 2, 2}, {0.9f, 0.2f, 0.4f, 0}), &wanted), 1.0 / 3,
              1e-12);
  EXPECT_EQ(bench.score("map:0.5", output({1, 1, 2, 2}, {0.9f, 0.6f, 0.4f, 0}), &wanted), 1);
  const Tensor nothing = output({1, 1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(bench.score("map", nothing, &nothing), 1);
  EXPECT_THAT(bench.refusal("map:2"), HasSubstr("map:0.3"));
}

TEST(Map, TakesArraysAsLabels) {
  const Bench bench({1, 1, 2, 2}, f32({2, 2, 2}, {1, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_FALSE((*bench.make("map"))->needs_reference());
  EXPECT_EQ(bench.score("map", output({1, 1, 2, 2}, {1, 0, 0, 0}), nullptr, 1), 0.25);
}

TEST(Cosine, IgnoresScaleAndIsNeverBelowZero) {
  const Bench bench({1, 2});
  const Tensor wanted = output({1, 2}, {3, 4});
  EXPECT_NEAR(bench.score("cosine", output({1, 2}, {6, 8}), &wanted), 1, 1e-12);
  EXPECT_NEAR(bench.score("cosine", output({1, 2}, {4, 3}), &wanted), 0.96, 1e-12);
  EXPECT_EQ(bench.score("cosine", output({1, 2}, {-3, -4}), &wanted), 0);
}

TEST(Divergence, IsOneForTheSameAndLessForOthers) {
  const Bench bench({1, 2});
  const Tensor probabilities = output({1, 2}, {0.5f, 0.5f});
  EXPECT_NEAR(bench.score("kl", probabilities, &probabilities), 1, 1e-9);
  // exp(-ln 2 / 2 + …): KL((½,½) ‖ (¼,¾)) = ½ ln 2 + ½ ln ⅔.
  EXPECT_NEAR(bench.score("kl", output({1, 2}, {0.25f, 0.75f}), &probabilities),
              std::exp(-0.5 * std::log(2.0) - 0.5 * std::log(2.0 / 3)), 1e-5);
  const Tensor scores = output({1, 2}, {3, 5});
  EXPECT_NEAR(bench.score("kl", output({1, 2}, {13, 15}), &scores), 1, 1e-6);
}

TEST(OutputAgreement, CountsRowsElementsOrWholeNumbers) {
  const Bench bench({1, 2, 2});
  const Tensor rows = output({1, 2, 2}, {0, 1, 1, 0});
  EXPECT_EQ(bench.score("agreement", output({1, 2, 2}, {0, 1, 0, 1}), &rows), 0.5);
  const Tensor map = output({1, 1, 2, 2}, {100, 0, 50, 1});
  EXPECT_EQ(bench.score("agreement", output({1, 1, 2, 2}, {100.5f, 0.5f, 52, 1}), &map), 0.75);
}

TEST(Metric, ScoresNanAsZeroAndSaysSo) {
  const Bench bench({1, 3}, classes({1, 1}));
  const auto metric = bench.make("top1");
  const auto judge = (*metric)->judge();
  const Tensor good = output({1, 3}, {0, 1, 0});
  const Tensor bad = output({1, 3}, {0, 1, kNan});
  ASSERT_TRUE(judge->add({0, {&bad, 1}, {&good, 1}}).ok());
  ASSERT_TRUE(judge->add({1, {&bad, 1}}).ok());
  ASSERT_TRUE(judge->add({1, {&good, 1}}).ok());
  const auto scores = judge->finish();
  EXPECT_TRUE((*scores)[0].non_finite);
  EXPECT_EQ((*scores)[0].value, 0);
  EXPECT_TRUE((*scores)[1].non_finite);
  EXPECT_FALSE((*scores)[2].non_finite);
  EXPECT_EQ((*scores)[2].value, 1);
}

TEST(Metric, LeavesInfinityWhereTheReferenceHasIt) {
  const Bench bench({1, 2});
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor masked = output({1, 2}, {-infinity, 2});
  EXPECT_EQ(bench.score("agreement", masked, &masked), 1);
}

TEST(Metric, WithoutItsReferenceIsAnError) {
  const Bench bench({1, 2});
  const auto metric = bench.make("cosine");
  const auto judge = (*metric)->judge();
  const Tensor found = output({1, 2}, {1, 2});
  EXPECT_THAT(std::string(base::message_of(judge->add({0, {&found, 1}}))),
              HasSubstr("no reference"));
}

TEST(Metric, OfAnotherShapeThanTheReferenceScoresZero) {
  const Bench bench({1, 2});
  const Tensor wanted = output({1, 2}, {1, 2});
  EXPECT_EQ(bench.score("cosine", output({1, 3}, {1, 2, 3}), &wanted), 0);
}

TEST(DefaultMetric, FollowsLabelsAndShapes) {
  const auto chosen = [](model::Shape shape, const std::string& labels = {}) {
    const Bench bench(std::move(shape), labels);
    const DefaultMetric metric = default_metric(*bench.data, bench.graph);
    EXPECT_FALSE(metric.reason.empty());
    EXPECT_TRUE(metric.reason.ends_with('.'));
    return metric.text;
  };
  EXPECT_EQ(chosen({1, 3}, classes({0, 1})), "top1");
  EXPECT_EQ(chosen({1, model::kDynamic, 3}, texts("a", "b")), "text");
  EXPECT_EQ(chosen({1, 1, 8, 8}, f32({2, 8, 8}, std::vector<float>(128))), "map");
  EXPECT_EQ(chosen({1, 4}, f32({2, 4}, std::vector<float>(8))), "cosine");
  EXPECT_EQ(chosen({1, 1, 8, 8}), "map");
  EXPECT_EQ(chosen({1, 40, 3}), "agreement");
  EXPECT_EQ(chosen({1, 8, 8, 3}), "cosine");
}

TEST(DefaultMetric, TellsAnEmbeddingByItsName) {
  Bench bench({1, 384});
  bench.graph.outputs[0].name = "sentence_embedding";
  EXPECT_EQ(default_metric(*bench.data, bench.graph).text, "cosine");
}

}  // namespace
}  // namespace tachostat::verify

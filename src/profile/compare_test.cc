#include "profile/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "profile/compare_test_support.h"

namespace tachostat::profile {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> slower_in(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const Compared& layer : comparison.layers) {
    if (layer.change == Change::kSlower) names.push_back(layer.name);
  }
  return names;
}

Comparison compared(const SideSpec& base, const SideSpec& head, CompareOptions options = {}) {
  absl::StatusOr<Comparison> result = compare(side(base), side(head), options);
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

TEST(Compare, FindsTheLayerAndNoOther) {
  const Comparison result = compared({.seed = 1}, {.seed = 2, .planted = 1.1});
  EXPECT_THAT(slower_in(result), ElementsAre("layer3"));
  EXPECT_TRUE(result.regressed());
  EXPECT_EQ(result.layers[0].name, "layer3");
  EXPECT_NEAR(result.layers[0].relative.value, 1.1, 0.03);
  EXPECT_LT(result.layers[0].relative.p_slower, 0.01);
  EXPECT_FALSE(result.layers[0].since.has_value());  // slow from the start
  EXPECT_THAT(result.differences, IsEmpty());
}

TEST(Compare, TheSameIsNoRegression) {
  int regressions = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    regressions += compared({.seed = 2 * seed}, {.seed = 2 * seed + 1}).regressed() ? 1 : 0;
  }
  EXPECT_LE(regressions, 2);
}

// The fastest quarter is from before the change: such a layer does not fail. docs/compare.md says
// so.
TEST(Compare, ALateChangeIsNotSeen) {
  EXPECT_FALSE(compared({.seed = 1}, {.seed = 2, .planted = 1.3, .planted_from = 0.7}).regressed());
}

TEST(Compare, SlowerByLessThanTheThresholdPasses) {
  const SideSpec head{.seed = 2, .planted = 1.1};
  EXPECT_FALSE(compared({.seed = 1}, head, {.fail_over = 0.2}).regressed());
}

TEST(Compare, FasterNeverFails) {
  const Comparison result = compared({.seed = 1}, {.seed = 2, .planted = 0.8});
  EXPECT_FALSE(result.regressed());
  EXPECT_EQ(result.layers.back().name, "layer3");
  EXPECT_EQ(result.layers.back().change, Change::kFaster);
}

TEST(Compare, WhatMovesAllLayersIsTheTotals) {
  const Comparison result =
      compared({.seed = 1, .together = 0.003}, {.seed = 2, .drift = 1.2, .together = 0.003});
  EXPECT_EQ(result.total.change, Change::kSlower);
  EXPECT_NEAR(result.common, 1.2, 0.02);
  ASSERT_EQ(slower_in(result).size(), 10U);
  EXPECT_TRUE(result.layers[0].with_total);
}

// A machine that is slower in HEAD's runs, noisily: the layer stands out all the same.
TEST(Compare, DriftDoesNotHideALayer) {
  const Comparison result =
      compared({.seed = 1, .together = 0.1}, {.seed = 2, .planted = 1.1, .together = 0.1});
  EXPECT_THAT(slower_in(result), ElementsAre("layer3"));
}

// Most of the model became faster. The layer that stayed as it was is no regression.
TEST(Compare, LeftBehindIsNotSlower) {
  const Comparison result = compared({.seed = 1, .together = 0.003},
                                     {.seed = 2, .drift = 0.5, .planted = 2, .together = 0.003});
  EXPECT_EQ(result.total.change, Change::kFaster);
  EXPECT_THAT(slower_in(result), IsEmpty());
}

TEST(Compare, TellsWhereInARunItChanged) {
  const Comparison early =
      compared({.seed = 1}, {.seed = 2, .planted = 1.5, .planted_from = 0.125});
  ASSERT_THAT(slower_in(early), ElementsAre("layer3"));
  ASSERT_TRUE(early.layers[0].since.has_value());
  EXPECT_EQ(early.layers[0].since->slice, 4U);
  EXPECT_NEAR(early.layers[0].since->ratio, 1.5, 0.05);
}

TEST(Compare, AddedAndRemovedLayersAreListed) {
  auto head = side({.seed = 2});
  for (ComparedRun& run : head) run.profile.layers[5].name = "fresh";
  const auto result = compare(side({.seed = 1}), head, {});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->added.size(), 1U);
  EXPECT_EQ(result->added[0].name, "fresh");
  EXPECT_EQ(result->removed[0].name, "layer5");
  EXPECT_EQ(result->layers.size(), 9U);
}

TEST(Compare, SmallLayersAreNotTested) {
  const Comparison result = compared({.seed = 1}, {.seed = 2}, {.least_share = 0.5});
  EXPECT_THAT(result.layers, IsEmpty());
  EXPECT_EQ(result.untested, 10U);
}

TEST(Compare, SingleRunsSeeWhatIsLargeAndSaySo) {
  const Comparison result = compared({.runs = 1, .seed = 1}, {.runs = 1, .seed = 2, .planted = 2});
  EXPECT_THAT(slower_in(result), ElementsAre("layer3"));
  EXPECT_THAT(result.differences, ElementsAre(HasSubstr("one run on each side")));
  EXPECT_FALSE(compared({.runs = 1, .seed = 1}, {.runs = 1, .seed = 3}).regressed());
}

TEST(Compare, SingleRunsWithoutSlicesUseTheSpreadOfLayers) {
  auto base = side({.runs = 1, .seed = 1});
  auto head = side({.runs = 1, .seed = 2, .planted = 2});
  for (auto* const runs : {&base, &head}) {
    (*runs)[0].profile.slices.clear();
    for (LayerProfile& layer : (*runs)[0].profile.layers) layer.slices.clear();
  }
  const auto result = compare(base, head, {});
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(slower_in(*result), ElementsAre("layer3"));
  base[0].profile.layers.resize(3);
  const absl::Status refused = compare(base, head, {}).status();
  EXPECT_THAT(std::string(base::message_of(refused)), HasSubstr("several runs"));
}

TEST(Compare, AnotherMachineIsADifference) {
  const Comparison result = compared({.seed = 1}, {.seed = 2, .machine = "m2"});
  EXPECT_THAT(result.differences, ElementsAre("machine: BASE has 'm1', HEAD has 'm2'"));
}

TEST(Compare, AnotherModelIsANoteOnly) {
  auto head = side({.seed = 2});
  for (ComparedRun& run : head) run.profile.model_hash = "i";
  const auto result = compare(side({.seed = 1}), head, {});
  EXPECT_THAT(result->differences, IsEmpty());
  EXPECT_THAT(result->notes, Contains(HasSubstr("model's content")));
}

TEST(Compare, RefusesWhatCannotBeTested) {
  const auto message = [](const auto& base, const auto& head) {
    const absl::Status status = compare(base, head, {}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(base::message_of(status));
  };
  const auto good = side({.seed = 1});
  EXPECT_THAT(message(good, std::vector<ComparedRun>()), HasSubstr("HEAD has no profile"));
  EXPECT_THAT(message(good, side({.runs = 1, .seed = 2, .requests = 7})),
              HasSubstr("run0.json: holds 7 request(s), expected at least 8"));
  auto twice = good;
  twice[1] = twice[0];
  EXPECT_THAT(message(twice, side({.seed = 2})), HasSubstr("already"));
}

}  // namespace
}  // namespace tachostat::profile

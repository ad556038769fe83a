#include "app/optimize/pruning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/optimize/timed_engine_test_support.h"
#include "model/steps.h"
#include "store/store.h"

namespace tachostat::app {
namespace {

using std::chrono::microseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kChannels = 64;

// Channels that the recipe leaves out.
int dropped_by(const model::Recipe& recipe) {
  int dropped = 0;
  for (const model::Recipe::Step& step : recipe.steps()) {
    if (step.pass != "prune") continue;
    const auto prune = model::prune_from(step.arguments);
    for (const model::Prune::Group& group : prune->groups) {
      dropped += static_cast<int>(group.dropped.size());
    }
  }
  return dropped;
}

// Microseconds of a request without so many channels.
using TimeWithout = std::function<int(int dropped)>;

// x → conv, whose channels go to the reader; "expose" shows them as they are given.
class ChannelEngine final : public TimedEngine {
 public:
  ChannelEngine(base::ManualClock& clock, const TimeWithout& time, int groups)
      : TimedEngine(clock,
                    [time](const model::Variant& variant) {
                      return microseconds(time(dropped_by(variant.recipe)));
                    }),
        groups_(groups) {}

  absl::StatusOr<std::vector<model::ChannelGroup>> channel_groups(const model::Graph&,
                                                                  const model::InputShapes&,
                                                                  const model::Recipe&) override {
    std::vector<model::ChannelGroup> groups;
    for (int i = 0; i < groups_; ++i) {
      groups.push_back({.name = "conv",
                        .channels = kChannels,
                        .layers = {"conv", "reader"},
                        .readers = {{{"reader", 0}, std::vector<float>(kChannels, 1)}}});
    }
    return groups;
  }

  // With the reader's input as one more output: channel c is x · (c + 1).
  absl::StatusOr<std::unique_ptr<engine::Session>> load(const model::Graph& graph,
                                                        const model::Variant& variant,
                                                        engine::Observer* observer) override {
    for (const model::Recipe::Step& step : variant.recipe.steps()) {
      if (step.pass == "expose") return exposing_.load(graph, variant, observer);
    }
    return TimedEngine::load(graph, variant, observer);
  }

 private:
  int groups_;
  engine::FakeEngine exposing_{
      {.mode = engine::FakeEngine::Mode::kThreads,
       .outputs = [](const model::Graph&, const model::Variant&,
                     const std::vector<engine::Tensor>& inputs) {
         const float x = *reinterpret_cast<const float*>(inputs[0].data.data());
         std::vector<float> values;
         for (int c = 0; c < kChannels; ++c) values.push_back(x * static_cast<float>(c + 1));
         engine::Tensor own = inputs[0];
         own.name = std::string("y");
         return std::vector<engine::Tensor>{
             own, engine::f32_tensor("reader:0", values, {1, kChannels, 1, 1})};
       }}};
};

// Twelve slices; the time of layer "conv" is the request's.
class LayerBench final : public optimize::Bench {
 public:
  explicit LayerBench(TimeWithout time) : time_(std::move(time)) {}
  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override {
    std::vector<profile::Profile> profiles;
    for (const model::Variant& variant : variants) {
      profile::Profile& profile = profiles.emplace_back();
      const auto ns = static_cast<std::uint64_t>(time_(dropped_by(variant.recipe))) * 1000;
      profile.slices.resize(12);
      profile::LayerProfile layer{.name = "conv", .originals = {"conv"}};
      layer.slices.assign(12, {.count = 1, .sum_ns = ns});
      profile.layers.push_back(std::move(layer));
    }
    return profiles;
  }

 private:
  TimeWithout time_;
};

class PruningTest : public ::testing::Test {
 protected:
  PruningTest() {
    for (const char* name : {"conv", "reader"}) {
      const model::Value value{.type = model::DataType::kF32, .shape = {1, kChannels, 1, 1}};
      model::Layer layer{.name = name, .type = "Convolution", .inputs = {value, value}};
      layer.outputs = {value};
      layer.producers = {shaped_.layers.empty() ? -1 : 0, -1};
      shaped_.layers.push_back(std::move(layer));
    }
  }

  Pruning choose(const TimeWithout& time, const std::function<double(int dropped)>& drop,
                 int groups = 1) {
    ChannelEngine engine(clock_, time, groups);
    LayerBench bench(time);
    const Track track{clock_, engine, graph_, inputs_, journal_};
    const optimize::Samples samples{8, [](std::size_t i) {
                                      return std::vector<engine::Tensor>{engine::f32_tensor(
                                          "x", {static_cast<float>(i), 2, 3, 4}, {1, 4})};
                                    }};
    PruningOptions options{.base = {.engine = "fake"}, .reference = {.engine = "fake"}};
    options.drops = [&drop](const std::vector<model::Variant>& variants, std::size_t) {
      std::vector<double> drops;
      for (const model::Variant& one : variants) drops.push_back(drop(dropped_by(one.recipe)));
      return absl::StatusOr<std::vector<double>>(drops);
    };
    const auto chosen = choose_pruning(track, bench, shaped_, samples, options);
    EXPECT_TRUE(chosen.ok()) << chosen.status();
    return chosen.ok() ? *chosen : Pruning();
  }

  base::ManualClock clock_;
  const model::Graph graph_ = engine::identity_graph();
  model::Graph shaped_ = {};
  const std::vector<engine::Tensor> inputs_ = {engine::f32_tensor("x", {1, 2, 3, 4}, {1, 4})};
  const std::unique_ptr<store::Store> store_ = store::open_memory();
  Journal journal_{clock_, *store_, "test"};
};

int shorter(int dropped) { return 1000 - 10 * dropped; }

TEST_F(PruningTest, AsManyGoAsAnswersBear) {
  const Pruning pruning = choose(shorter, [](int dropped) { return dropped <= 32 ? 0.0 : 0.5; });
  EXPECT_TRUE(pruning.pays);
  EXPECT_EQ(dropped_by(pruning.recipe), 32);
  EXPECT_THAT(pruning.notes, Contains(HasSubstr("48 channels less drop by 50.000 %")));
  EXPECT_THAT(pruning.notes, Contains(HasSubstr("32 channels less: 0.680")));
}

TEST_F(PruningTest, SaysThatNoneCanGo) {
  const Pruning pruning = choose(shorter, [](int) { return 0.5; });
  EXPECT_FALSE(pruning.pays);
  EXPECT_TRUE(pruning.recipe.empty());
  EXPECT_THAT(pruning.notes.back(), HasSubstr("none can be left out without training"));
}

TEST_F(PruningTest, WhatSavesNoTimeIsNotTried) {
  const Pruning pruning = choose([](int) { return 1000; }, [](int) { return 0.0; });
  EXPECT_FALSE(pruning.pays);
  EXPECT_THAT(pruning.notes, ElementsAre(HasSubstr("no saving of time")));
}

TEST_F(PruningTest, AnEngineThatKnowsNoGroupsIsLeftAlone) {
  const Pruning pruning = choose(
      shorter, [](int) { return 0.0; }, 0);
  EXPECT_FALSE(pruning.pays);
  EXPECT_THAT(pruning.notes, IsEmpty());
}

}  // namespace
}  // namespace tachostat::app

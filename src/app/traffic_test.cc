#include "app/traffic.h"

#include <gtest/gtest.h>

#include "engine/fake/fake.h"

namespace tachostat::app {
namespace {

std::vector<engine::Tensor> line(std::int64_t width) {
  return {engine::f32_tensor("x", std::vector<float>(static_cast<std::size_t>(width)), {1, width})};
}

TEST(RecentInputs, CopiesOneRequestAnIntervalAndNoMore) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::milliseconds(100));
  for (int i = 0; i < 10; ++i) inputs.seen(line(4));
  EXPECT_EQ(inputs.recent({}).size(), 1U);
  clock.advance(std::chrono::milliseconds(100));
  inputs.seen(line(4));
  EXPECT_EQ(inputs.recent({}).size(), 2U);
}

TEST(RecentInputs, KeepsTheNewestFirst) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::milliseconds(1));
  for (std::int64_t width = 1; width <= 40; ++width) {
    clock.advance(std::chrono::milliseconds(1));
    inputs.seen(line(width));
  }
  const auto recent = inputs.recent({});
  ASSERT_EQ(recent.size(), RecentInputs::kKept);
  EXPECT_EQ(recent.front().front().shape, (model::Shape{1, 40}));
  EXPECT_EQ(recent.back().front().shape, (model::Shape{1, 25}));
  EXPECT_EQ(inputs.recent({{"x", {1, 30}}}).size(), 1U);
  EXPECT_TRUE(inputs.recent({{"x", {1, 5}}}).empty());
}

TEST(RecentInputs, OwnsItsCopies) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::milliseconds(1));
  {
    const std::vector<float> values = {1, 2};
    engine::Tensor view = engine::f32_tensor("x", values);
    view.data = std::as_bytes(std::span(values));
    view.owner.reset();
    inputs.seen({view});
  }
  EXPECT_EQ(engine::f32_values(inputs.recent({}).front().front()), (std::vector<float>{1, 2}));
}

TEST(RecentInputs, CountsShapesMostFrequentFirst) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::seconds(1));
  for (int i = 0; i < 100; ++i) inputs.seen(line(i % 4 == 0 ? 8 : 4));
  const auto shapes = inputs.shapes();
  ASSERT_EQ(shapes.size(), 2U);
  EXPECT_EQ(shapes[0].first, (model::InputShapes{{"x", {1, 4}}}));
  EXPECT_DOUBLE_EQ(shapes[0].second, 0.75);
}

TEST(RecentInputs, ForgetsShapesThatNoLongerCome) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::seconds(1));
  inputs.seen(line(8));
  for (int i = 0; i < 3000; ++i) inputs.seen(line(4));
  EXPECT_EQ(inputs.shapes().size(), 1U);
}

TEST(RecentInputs, CopiesNoHugeRequest) {
  base::ManualClock clock;
  RecentInputs inputs(clock, std::chrono::seconds(1));
  inputs.seen(line(static_cast<std::int64_t>(RecentInputs::kMaxBytes)));
  EXPECT_TRUE(inputs.recent({}).empty());
  EXPECT_EQ(inputs.shapes().size(), 1U);
}

}  // namespace
}  // namespace tachostat::app

#include "schedule/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::schedule {
namespace {

std::vector<engine::Tensor> inputs(std::int64_t width) {
  return {
      {.name = "x", .type = model::DataType::kF32, .shape = {1, width}, .data = {}, .owner = {}}};
}
Router router(std::vector<model::Plan::Share> shares) {
  model::Plan plan;
  plan.shares = std::move(shares);
  return Router(plan);
}
std::string turns(Router& router, int request_class, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const int share = router.choose(request_class);
    EXPECT_EQ(router.choose(request_class), share);  // looking uses nothing up
    router.commit(request_class, share);
    text += static_cast<char>('a' + share);
  }
  return text;
}

TEST(Router, SpreadsTurnsByWeight) {
  Router weighted = router({{.variant = "a", .weight = 5}, {.variant = "b"}, {.variant = "c"}});
  EXPECT_EQ(turns(weighted, weighted.class_of(inputs(4)), 14), "aabacaaaabacaa");
  Router halves = router({{.variant = "a"}, {.variant = "b"}});
  EXPECT_EQ(turns(halves, 0, 6), "ababab");
}

TEST(Router, GivesNoTurnToAShareWithoutWeight) {
  Router only = router({{.variant = "a", .weight = 0}, {.variant = "b"}});
  EXPECT_EQ(turns(only, 0, 3), "bbb");
}

TEST(Router, PrefersExactShapes) {
  Router mixed = router({{.variant = "a"}, {.variant = "b", .shapes = {{"x", {1, 8}}}}});
  EXPECT_EQ(turns(mixed, mixed.class_of(inputs(8)), 2), "bb");
  EXPECT_EQ(turns(mixed, mixed.class_of(inputs(9)), 2), "aa");
}

TEST(Router, SharesABucketToo) {
  Router mixed = router(
      {{.variant = "a", .shapes = {{"x", {1, 8}}}}, {.variant = "b", .shapes = {{"x", {1, 8}}}}});
  EXPECT_EQ(turns(mixed, mixed.class_of(inputs(8)), 4), "abab");
  EXPECT_EQ(mixed.class_of(inputs(9)), -1);
}

}  // namespace
}  // namespace tachostat::schedule

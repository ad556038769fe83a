#include "app/cold_shapes.h"

#include <gtest/gtest.h>

namespace tachostat::app {
namespace {

void infer(ColdShapes& shapes, std::uint64_t session, std::string_view bucket, int milliseconds,
           bool failed = false) {
  const base::Time begin;
  shapes.inferred({.session = session,
                   .begin = begin,
                   .end = begin + std::chrono::milliseconds(milliseconds),
                   .failed = failed,
                   .bucket = bucket});
}

TEST(ColdShapes, ComparesFirstRequestsWithLaterOnesOfTheirShape) {
  ColdShapes shapes;
  infer(shapes, 1, "x[1,4]", 50);
  for (int i = 0; i < 4; ++i) infer(shapes, 1, "x[1,4]", 10);
  infer(shapes, 1, "x[1,8]", 70);
  for (int i = 0; i < 2; ++i) infer(shapes, 1, "x[1,8]", 20);
  const ColdShapes::Cost cost = shapes.cost(1);
  EXPECT_EQ(cost.shapes, 2U);
  EXPECT_EQ(cost.requests, 8U);
  EXPECT_NEAR(cost.share, 90.0 / 200, 1e-9);
  EXPECT_NEAR(cost.factor, 120.0 / 30, 1e-9);
}

TEST(ColdShapes, SaysNothingOfShapesWithoutAUsualTime) {
  ColdShapes shapes;
  infer(shapes, 1, "x[1,4]", 50);
  infer(shapes, 1, "x[1,4]", 10);
  infer(shapes, 1, "x[1,4]", 10, true);
  EXPECT_EQ(shapes.cost(1).shapes, 0U);
  EXPECT_EQ(shapes.cost(1).share, 0);
  EXPECT_EQ(shapes.cost(2).requests, 0U);
}

TEST(ColdShapes, ForgetsASessionAndHasABound) {
  ColdShapes shapes;
  for (int width = 0; width < 1000; ++width) infer(shapes, 1, "x[1," + std::to_string(width), 1);
  EXPECT_EQ(shapes.cost(1).requests, ColdShapes::kMostShapes);
  shapes.forget(1);
  EXPECT_EQ(shapes.cost(1).requests, 0U);
}

}  // namespace
}  // namespace tachostat::app

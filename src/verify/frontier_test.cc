#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using testing::ElementsAre;

Point point(int streams, double service_ms, double capacity, double drop_bound = 0) {
  Point made;
  made.variant.streams = streams;
  made.service_ms = service_ms;
  made.capacity = capacity;
  made.drop_bound = drop_bound;
  return made;
}
std::vector<int> streams_of(const Frontier& frontier) {
  std::vector<int> streams;
  for (const Point& each : frontier.points()) streams.push_back(each.variant.streams);
  return streams;
}

TEST(Frontier, KeepsWhatIsBestSomewhereByAscendingCapacity) {
  Frontier frontier;
  frontier.add(point(2, 12, 160));       // best capacity
  frontier.add(point(1, 10, 100));       // best time
  frontier.add(point(3, 8, 200, 0.02));  // best of both, less accurate
  frontier.add(point(4, 12, 90));        // beaten by 1
  EXPECT_THAT(streams_of(frontier), ElementsAre(1, 2, 3));
  frontier.add(point(5, 7, 300));  // beats all
  EXPECT_THAT(streams_of(frontier), ElementsAre(5));
}

TEST(Frontier, DoesNotTakeNoiseForAnAdvantage) {
  Frontier frontier;
  frontier.add(point(1, 10, 100));
  frontier.add(point(2, 10.05, 99.5));  // the same
  EXPECT_THAT(streams_of(frontier), ElementsAre(2, 1));
  frontier.add(point(3, 8, 99.5));  // clearly faster; its capacity is as good as the others'
  EXPECT_THAT(streams_of(frontier), ElementsAre(3));
}

TEST(Frontier, ReplacesThePointOfTheSameVariant) {
  Frontier frontier;
  frontier.add(point(1, 10, 100));
  frontier.add(point(1, 20, 50));
  ASSERT_EQ(frontier.points().size(), 1u);
  EXPECT_EQ(frontier.find(point(1, 0, 0).variant.id())->service_ms, 20);
  EXPECT_EQ(frontier.find("nothing"), nullptr);
}

TEST(Frontier, NeverDropsTheFallback) {
  Frontier frontier;
  frontier.set_fallback(point(1, 0, 0).variant.id());
  frontier.add(point(1, 10, 100));
  frontier.add(point(2, 5, 200));
  EXPECT_THAT(streams_of(frontier), ElementsAre(1, 2));
  frontier.add(point(1, 11, 90));  // measured again, still dominated
  EXPECT_THAT(streams_of(frontier), ElementsAre(1, 2));
}

TEST(Frontier, IgnoresPointsThatAreNotNumbers) {
  Frontier frontier;
  frontier.add(point(1, 10, std::numeric_limits<double>::quiet_NaN()));
  frontier.add(point(2, std::numeric_limits<double>::infinity(), 10));
  EXPECT_TRUE(frontier.points().empty());
}

}  // namespace
}  // namespace tachostat::verify

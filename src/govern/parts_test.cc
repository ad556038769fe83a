// The small parts: windows, the traffic watch, loaded variants and their plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "govern/fake_plant.h"
#include "govern/loaded.h"
#include "govern/traffic_watch.h"
#include "govern/windows.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

Observation piece(base::Time begin, base::Duration length, std::uint64_t answered,
                  double in_flight = 1) {
  Observation observation;
  observation.begin = begin;
  observation.end = begin + length;
  observation.arrivals = observation.answered = answered;
  if (answered > 0) observation.latency.record(1000000, answered);
  observation.mean_in_flight = in_flight;
  return observation;
}

TEST(WindowsTest, ClosesWhenLongAndFullEnough) {
  Windows windows{seconds(1)};
  base::Time now{seconds(1)};
  int pieces = 0;
  std::optional<Window> closed;
  while (!closed) {
    closed = windows.add(piece(now, milliseconds(50), 2));
    now += milliseconds(50);
    ++pieces;
  }
  EXPECT_EQ(pieces, 20);
  EXPECT_EQ(closed->seen.answered, 40u);
  EXPECT_DOUBLE_EQ(closed->seen.throughput(), 40);
}

TEST(WindowsTest, ThinTrafficStretchesIt) {
  Windows windows{seconds(1)};
  base::Time now{seconds(1)};
  for (int i = 0; i < 4; ++i, now += seconds(1)) {
    EXPECT_FALSE(windows.add(piece(now, seconds(1), 1)));
  }
  EXPECT_TRUE(windows.add(piece(now, seconds(1), 0)));
}

TEST(WindowsTest, DisturbedOnesAreMarkedAndTheNextPieceToo) {
  Windows windows{seconds(1)};
  base::Time now{seconds(1)};
  windows.add(piece(now, milliseconds(500), 30));
  windows.disturb();
  EXPECT_TRUE(windows.add(piece(now, milliseconds(500), 30))->disturbed);
  EXPECT_FALSE(windows.add(piece(now, seconds(1), 30))->disturbed);
  windows.disturb();
  EXPECT_TRUE(windows.add(piece(now, seconds(1), 30))->disturbed);
  EXPECT_EQ(windows.recent(5, true).answered, 30u);
  EXPECT_EQ(windows.recent(2, false).answered, 60u);
  EXPECT_EQ(Windows(seconds(1)).recent(3, false).answered, 0u);
}

TEST(MergeObservationTest, WeighsInFlightByTime) {
  Observation total = piece(base::Time(seconds(1)), seconds(1), 10, 1);
  merge(total, piece(base::Time(seconds(5)), seconds(3), 10, 5));
  EXPECT_DOUBLE_EQ(total.seconds(), 4);
  EXPECT_DOUBLE_EQ(total.mean_in_flight, 4);
}

TEST(TrafficWatchTest, NoticesADoubledLoadAfterSomeWindows) {
  TrafficWatch watch;
  const base::Time now{seconds(1)};
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(watch.add(piece(now, seconds(1), 10, 1.5), {}));
  EXPECT_FALSE(watch.add(piece(now, seconds(1), 10, 9), {}));
  EXPECT_FALSE(watch.add(piece(now, seconds(1), 10, 1.5), {})) << "a blip";
  EXPECT_FALSE(watch.add(piece(now, seconds(1), 10, 4), {}));
  EXPECT_FALSE(watch.add(piece(now, seconds(1), 10, 4), {}));
  const auto change = watch.add(piece(now, seconds(1), 10, 4), {});
  ASSERT_TRUE(change);
  EXPECT_THAT(*change, HasSubstr("from 1.5 to 4"));
}

TEST(TrafficWatchTest, NoticesOtherShapesButNoPause) {
  TrafficWatch watch;
  const base::Time now{seconds(1)};
  const TrafficWatch::Shapes before = {{{{"x", {1, 320}}}, 0.9}, {{{"x", {1, 640}}}, 0.1}};
  const TrafficWatch::Shapes after = {{{{"x", {1, 320}}}, 0.4}, {{{"x", {1, 640}}}, 0.6}};
  EXPECT_NEAR(shape_distance(before, after), 0.5, 1e-9);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.add(piece(now, seconds(1), 10), before));
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(watch.add(piece(now, seconds(1), 0, 0), before));
  std::optional<std::string> change;
  for (int i = 0; i < 3; ++i) change = watch.add(piece(now, seconds(1), 10), after);
  ASSERT_TRUE(change);
  EXPECT_THAT(*change, HasSubstr("50 %"));
}

TEST(RecipeTest, NamesWhatWasNotTaken) {
  model::Variant variant{.precision = model::Precision::kBF16, .threads = 4, .streams = 2};
  engine::Applied applied;
  EXPECT_EQ(recipe_difference(variant, applied), "") << "an engine that tells nothing";
  applied.precision = "f32";
  EXPECT_THAT(recipe_difference(variant, applied),
              HasSubstr("asked for bf16, the engine runs f32"));
  applied.precision = "bf16";
  applied.layers.push_back(
      {.name = "a", .originals = {}, .type = "", .kernel = "", .precision = "f32", .layout = ""});
  EXPECT_THAT(recipe_difference(variant, applied), HasSubstr("none of the 1 layers"));
  applied.layers[0].precision = "bf16";
  applied.streams = 1;
  EXPECT_THAT(recipe_difference(variant, applied), HasSubstr("2 streams"));
  applied.streams = 2;
  applied.threads = 2;
  EXPECT_THAT(recipe_difference(variant, applied), HasSubstr("4 threads"));
  applied.threads = 4;
  EXPECT_EQ(recipe_difference(variant, applied), "");
}

class LoadedVariantsTest : public testing::Test {
 protected:
  static model::Variant variant(int threads) { return {.threads = threads}; }
  base::ManualClock clock_;
  FakePlant plant_{clock_, 1};
  LoadedVariants loaded_{plant_, 3};
};

TEST_F(LoadedVariantsTest, MakesRoomButNotFromWhatIsKept) {
  for (int threads : {1, 2, 3}) ASSERT_TRUE(loaded_.load(variant(threads), {}).ok());
  ASSERT_TRUE(loaded_.load(variant(1), {}).ok());  // used again: 2 is the oldest now
  ASSERT_TRUE(loaded_.load(variant(4), {}).ok());
  EXPECT_FALSE(loaded_.contains(variant(2).id()));
  const std::vector<std::string> all = {variant(1).id(), variant(3).id(), variant(4).id()};
  EXPECT_EQ(loaded_.load(variant(5), all).code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(loaded_.load_extra(variant(6)).ok()) << "extras are beside the limit";
  EXPECT_EQ(plant_.loaded().size(), 4u);
  ASSERT_TRUE(loaded_.load(variant(7), {}).ok());
  EXPECT_TRUE(loaded_.contains(variant(6).id())) << "and stay";
}

TEST_F(LoadedVariantsTest, ABucketSharesThePlanWithItsCompanion) {
  model::Variant bucket = variant(2);
  bucket.shapes = {{"x", {1, 320}}};
  ASSERT_TRUE(loaded_.load(variant(2), {}).ok());
  ASSERT_TRUE(loaded_.load(bucket, {}).ok());
  loaded_.set_companion(bucket, variant(2).id());
  Choice choice;
  choice.variant = bucket.id();
  const model::Plan plan = loaded_.plan_for(choice, 7);
  ASSERT_EQ(plan.shares.size(), 2u);
  EXPECT_EQ(plan.shares[0].variant, bucket.id());
  EXPECT_EQ(plan.shares[0].shapes, bucket.shapes);
  EXPECT_EQ(plan.shares[1].variant, variant(2).id());
  EXPECT_TRUE(plan.shares[1].shapes.empty());
  EXPECT_EQ(plan.concurrency, 2);
  EXPECT_EQ(plan.queue_limit, 7);
  EXPECT_LT(plan.generation, loaded_.plan_for(choice, 7).generation);
}

TEST_F(LoadedVariantsTest, ACircleOfCompanionsEnds) {
  loaded_.set_companion(variant(1), variant(2).id());
  loaded_.set_companion(variant(2), variant(1).id());
  EXPECT_THAT(loaded_.chain(variant(1).id()), ElementsAre(variant(1).id(), variant(2).id()));
}

}  // namespace
}  // namespace tachostat::govern

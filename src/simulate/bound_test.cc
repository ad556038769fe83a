#include "simulate/bound.h"

#include <gtest/gtest.h>

namespace tachostat::simulate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One core that answers 100 requests a second, each within 50 ms.
Scenario scenario() {
  Scenario made;
  made.duration = seconds(10);
  SimulatedModel model;
  model.name = "net";
  model.targets.p99 = milliseconds(50);
  model.start = "only";
  model.classes = {{.name = "all"}};
  model.variants = {{.name = "only", .service = {.by_batch = {milliseconds(10)}, .noise = 0}}};
  made.models = {model};
  return made;
}

double bound(const Scenario& made, const std::vector<base::Duration>& arrivals) {
  ClairvoyantBound bound(made, made.models[0]);
  for (const base::Duration at : arrivals) bound.arrive(at, true);
  return bound.in_time();
}

TEST(ClairvoyantBound, TakesWhatFitsBetweenArrivalAndLimit) {
  const std::vector<base::Duration> at_once(20, seconds(1));
  EXPECT_EQ(bound(scenario(), at_once), 5);
}

TEST(ClairvoyantBound, IsTheNumberOfArrivalsWhenTheyComeSlowly) {
  std::vector<base::Duration> arrivals;
  for (int i = 0; i < 100; ++i) arrivals.push_back(milliseconds(20 * i));
  EXPECT_EQ(bound(scenario(), arrivals), 100);
}

TEST(ClairvoyantBound, KnowsThatCoresAreTakenAway) {
  Scenario made = scenario();
  made.events = {{.kind = Event::Kind::kSlow, .at = seconds(2), .until = seconds(4), .value = 2}};
  std::vector<base::Duration> arrivals;
  for (int i = 0; i < 600; ++i) arrivals.push_back(milliseconds(10 * i));
  EXPECT_NEAR(bound(made, arrivals), 500, 6);
}

TEST(ClairvoyantBound, UsesTheBestBatch) {
  Scenario made = scenario();
  made.models[0].variants[0].batch = 2;
  made.models[0].variants[0].service.by_batch = {milliseconds(10), milliseconds(10)};
  EXPECT_EQ(bound(made, std::vector<base::Duration>(20, seconds(1))), 10);
}

TEST(ClairvoyantBound, LeavesOutVariantsThatAreNotAllowed) {
  Scenario made = scenario();
  made.models[0].variants.push_back({.name = "wrong",
                                     .service = {.by_batch = {milliseconds(1)}, .noise = 0},
                                     .label_error = 0.1});
  EXPECT_EQ(bound(made, std::vector<base::Duration>(20, seconds(1))), 5);
}

TEST(ClairvoyantBound, ModelsShareTheWorkThatThereIs) {
  Scenario made = scenario();
  made.models.push_back(made.models[0]);
  const std::vector<double> together = capped_together(made, {900, 900});
  EXPECT_NEAR(together[0] + together[1], 1005, 1);
}

}  // namespace
}  // namespace tachostat::simulate

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Readings = std::map<std::string, double>;

void expect_lost(std::string_view rule, const Readings& readings, double share, Objective objective,
                 std::vector<Remedy::Kind> remedies) {
  expect_found(said(rule, reading_profile(readings)),
               {rule, {}, share, objective, std::move(remedies)});
}

bool speaks_of(std::string_view rule, const Readings& readings) {
  return speaks(rule, reading_profile(readings));
}

Readings batches(double batch, double limit, double in_flight) {
  return {{"serving/compute", 0.01},
          {"serving/batch", batch},
          {"serving/batch_limit", limit},
          {"serving/in_flight", in_flight}};
}

TEST(UnderfilledBatches, HalfEmptyOnesBesideWaitingRequestsAreFound) {
  expect_lost("underfilled-batches", batches(1.5, 8, 6), 1, Objective::kThroughput,
              {Remedy::kBatch});
  EXPECT_FALSE(speaks_of("underfilled-batches", batches(4, 8, 8)));
  EXPECT_FALSE(speaks_of("underfilled-batches", batches(1, 1, 8))) << "no more fit";
  EXPECT_FALSE(speaks_of("underfilled-batches", batches(1.5, 8, 1.5))) << "there are no more";
  EXPECT_FALSE(speaks_of("underfilled-batches", batches(0, 8, 0))) << "nobody asks";
}

TEST(Padding, ElementsThatAreNotAskedForAreFound) {
  expect_lost("padding", {{"serving/padded_share", 0.3}}, 0.3, Objective::kLatency,
              {Remedy::kShapeBuckets});
  EXPECT_TRUE(speaks_of("padding", {{"serving/padded_share", 0.05}}));
  EXPECT_FALSE(speaks_of("padding", {{"serving/padded_share", 0.049}}));
  EXPECT_FALSE(speaks_of("padding", {{"serving/cold_share", 0.3}}));
}

TEST(Queueing, WaitingForATurnIsFound) {
  expect_lost("queueing", {{"serving/queue", 0.03}, {"serving/compute", 0.01}}, 0.75,
              Objective::kResponse,
              {Remedy::kThreadsAndStreams, Remedy::kBatch, Remedy::kCapacity});
  EXPECT_FALSE(speaks_of("queueing", {{"serving/queue", 0.0029}, {"serving/compute", 0.0071}}));
  EXPECT_FALSE(speaks_of("queueing", {{"serving/queue", 0.03}})) << "no server's profile";
  EXPECT_FALSE(speaks_of("queueing", {{"serving/decode", 0.03}, {"serving/compute", 0.01}}))
      << "reading is not waiting";
}

TEST(Serialisation, ReadingAndWritingIsFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kClient, Remedy::kShareBuffers};
  const Readings wire = {
      {"serving/compute", 0.006}, {"serving/decode", 0.003}, {"serving/encode", 0.001}};
  expect_lost("serialisation", wire, 0.4, Objective::kResponse, remedies);
  Readings text = wire;
  text["serving/json_share"] = 1;
  EXPECT_GT(said("serialisation", reading_profile(text))->gain_low,
            said("serialisation", reading_profile(wire))->gain_low);
  EXPECT_FALSE(
      speaks_of("serialisation", {{"serving/compute", 0.0091}, {"serving/decode", 0.0009}}));
  EXPECT_FALSE(speaks_of("serialisation", {{"serving/compute", 0.001}, {"serving/queue", 0.009}}));
}

TEST(ClientBound, AnIdleModelBehindASlowClientIsFound) {
  expect_lost("client-bound",
              {{"target/rate", 100}, {"serving/rate", 60}, {"serving/busy_share", 0.3}}, 0.4,
              Objective::kThroughput, {Remedy::kClient});
  EXPECT_FALSE(speaks_of(
      "client-bound", {{"target/rate", 100}, {"serving/rate", 96}, {"serving/busy_share", 0.3}}));
  EXPECT_FALSE(speaks_of("client-bound",
                         {{"target/rate", 100}, {"serving/rate", 60}, {"serving/busy_share", 0.5}}))
      << "the model is busy";
}

TEST(ColdShapes, FirstRequestsOfNewShapesAreFound) {
  expect_lost("cold-shapes", {{"serving/cold_share", 0.2}, {"serving/cold_factor", 8}}, 0.2,
              Objective::kLatency, {Remedy::kWarmUp, Remedy::kShapeBuckets});
  EXPECT_FALSE(speaks_of("cold-shapes", {{"serving/cold_share", 0.019}}));
  EXPECT_FALSE(speaks_of("cold-shapes", {{"serving/shapes", 50}})) << "many, but no dear ones";
}

TEST(DynamicShapes, TimeBetweenLayersOfAnOpenVariantIsFound) {
  Profile profile = profile_of({healthy(0.85)});
  profile.static_shapes = false;
  const std::vector<Finding> findings = diagnose(profile, machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("dynamic-shapes"));
  expect_honest(findings[0]);
  EXPECT_THAT(findings[0].summary, HasSubstr("x[1,3]"));
  EXPECT_LE(findings[0].gain_high, 0.15);
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kStaticShapes));
}

TEST(DynamicShapes, NotWithFixedShapesLittleTimeLostSpansOrUnknownShapes) {
  Profile open = profile_of({healthy(0.85)});
  open.static_shapes = false;
  ASSERT_THAT(diagnose(open, machine()), SizeIs(1));

  Profile fixed = open;
  fixed.static_shapes = true;
  EXPECT_THAT(diagnose(fixed, machine()), IsEmpty());
  Profile lost = open;
  lost.dropped_spans = 1;
  EXPECT_THAT(diagnose(lost, machine()), IsEmpty());
  Profile unknown = open;
  unknown.bucket = "dynamic";
  EXPECT_THAT(diagnose(unknown, machine()), IsEmpty());
  Profile little = profile_of({healthy(0.98)});
  little.static_shapes = false;
  EXPECT_THAT(diagnose(little, machine()), IsEmpty());
}

}  // namespace
}  // namespace tachostat::diagnose

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "optimize/optimize.h"

namespace tachostat::optimize {
namespace {

using diagnose::Finding;
using diagnose::Remedy;
using model::Precision;
using model::Variant;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

Finding finding(Remedy::Kind remedy, std::string rule = "rule") {
  Finding finding{.rule = std::move(rule), .summary = "something takes long", .share = 0.5};
  finding.gain_low = 0.1;
  finding.gain_high = 0.3;
  finding.remedies = {remedy};
  return finding;
}

// A recogniser with open batch and width, on four threads, with three requests in the server.
Context context() {
  Context context;
  context.incumbent = {.precision = Precision::kF32, .threads = 4, .streams = 1};
  context.capabilities.precisions = {Precision::kF32};
  context.capabilities.hardware_threads = 4;
  context.graph.inputs = {{"x", model::DataType::kF32, {-1, 3, 48, -1}}};
  context.graph.outputs = {{"y", model::DataType::kF32, {-1, -1, 100}}};
  context.mean_in_flight = 3;
  return context;
}

Proposals propose_for(const Finding& finding, const Context& context) {
  return propose({finding}, context);
}

std::vector<std::pair<int, int>> splits(const Proposals& proposals) {
  std::vector<std::pair<int, int>> result;
  for (const Proposal& proposal : proposals.proposals) {
    result.emplace_back(proposal.variant.streams, proposal.variant.threads);
  }
  return result;
}

TEST(Proposers, NothingFromNothing) {
  const Proposals proposals = propose({}, context());
  EXPECT_THAT(proposals.proposals, IsEmpty());
  EXPECT_THAT(proposals.refusals, IsEmpty());
}

TEST(Proposers, AreRegisteredByName) {
  std::vector<std::string> names;
  for (const auto& proposer : proposers()) names.emplace_back(proposer->name());
  EXPECT_THAT(names, ElementsAre("precision", "threads-streams", "batch", "shapes"));
}

TEST(Proposers, OtherRemediesAreLeftToOthers) {
  Finding none = finding(Remedy::kBatch);
  none.remedies.clear();
  EXPECT_THAT(propose_for(none, context()).proposals, IsEmpty());
  EXPECT_THAT(propose_for(none, context()).refusals, IsEmpty());
}

TEST(Precision, NativeOnesAreProposed) {
  Context with = context();
  with.capabilities.precisions = {Precision::kF32, Precision::kBF16};
  with.incumbent.pinning = true;
  const Proposals proposals = propose_for(finding(Remedy::kLowerPrecision), with);
  ASSERT_THAT(proposals.proposals, SizeIs(1));
  const Proposal& one = proposals.proposals[0];
  Variant expected = with.incumbent;
  expected.precision = Precision::kBF16;
  EXPECT_EQ(one.variant, expected);
  EXPECT_EQ(one.proposer, "precision");
  EXPECT_EQ(one.finding, "rule");
  EXPECT_THAT(one.reason, HasSubstr("something takes long"));
  EXPECT_NEAR(one.expected_gain, 0.2, 1e-9);
  ASSERT_THAT(proposals.refusals, SizeIs(1));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("f16"));
}

TEST(Precision, OthersAreRefusedWithTheReason) {
  const Proposals proposals = propose_for(finding(Remedy::kLowerPrecision), context());
  EXPECT_THAT(proposals.proposals, IsEmpty());
  ASSERT_THAT(proposals.refusals, SizeIs(2));
  EXPECT_EQ(proposals.refusals[0].reason,
            "bf16: this processor has no bf16 arithmetic; the engine would run f32");
  EXPECT_THAT(proposals.refusals[0].variant, HasSubstr("bf16"));
}

TEST(Precision, SixteenBitsAreLowEnough) {
  Context with = context();
  with.capabilities.precisions = {Precision::kF32, Precision::kBF16, Precision::kF16};
  with.incumbent.precision = Precision::kBF16;
  const Proposals proposals = propose_for(finding(Remedy::kLowerPrecision), with);
  EXPECT_THAT(proposals.proposals, IsEmpty());
  EXPECT_THAT(proposals.refusals, IsEmpty());
}

TEST(ThreadsStreams, TheSplitThatSuitsTheTrafficComesFirst) {
  const Proposals proposals = propose_for(finding(Remedy::kThreadsAndStreams), context());
  EXPECT_THAT(splits(proposals), ElementsAre(std::pair(4, 4), std::pair(2, 4)));
  EXPECT_NEAR(proposals.proposals[0].expected_gain, 0.2 * 3 / 4, 1e-9);
  EXPECT_THAT(proposals.proposals[0].reason, HasSubstr("4 streams of 1 thread: "));
  EXPECT_THAT(proposals.proposals[1].reason, HasSubstr("2 streams of 2 threads: "));
}

TEST(ThreadsStreams, ReasonTellsHowIdleTheWorkersAre) {
  Finding idle = finding(Remedy::kThreadsAndStreams, "idle-workers");
  idle.evidence = {{"thread efficiency", 0.59, "share", 100}};
  const Proposals proposals = propose_for(idle, context());
  ASSERT_THAT(proposals.proposals, SizeIs(2));
  EXPECT_THAT(proposals.proposals[0].reason, HasSubstr("workers idle 41 % of the time"));
}

TEST(ThreadsStreams, MoreStreamsThanRequestsAreRefused) {
  Context quiet = context();
  quiet.mean_in_flight = 0.4;
  const Proposals proposals = propose_for(finding(Remedy::kThreadsAndStreams), quiet);
  EXPECT_THAT(splits(proposals), ElementsAre(std::pair(2, 4)));
  ASSERT_THAT(proposals.refusals, SizeIs(1));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("only 0.4 requests"));
}

TEST(ThreadsStreams, TheIncumbentIsNotProposedUnderAnotherName) {
  Context with = context();
  with.incumbent.threads = 0;  // the engine's choice: all four
  EXPECT_THAT(splits(propose_for(finding(Remedy::kThreadsAndStreams), with)),
              UnorderedElementsAre(std::pair(4, 4), std::pair(2, 4)));
  with.incumbent.streams = 4;
  EXPECT_THAT(splits(propose_for(finding(Remedy::kThreadsAndStreams), with)),
              UnorderedElementsAre(std::pair(2, 4), std::pair(1, 4)));
}

TEST(ThreadsStreams, NeverMoreThreadsThanTheHardwareHas) {
  for (const int hardware : {-1, 0, 1, 2, 3, 6, 7, 64}) {
    Context with = context();
    with.incumbent.threads = 99;
    with.capabilities.hardware_threads = hardware;
    with.mean_in_flight = 1000;
    for (const auto& [streams, threads] :
         splits(propose_for(finding(Remedy::kThreadsAndStreams), with))) {
      EXPECT_LE(threads, std::max(1, hardware));
      EXPECT_GE(threads, streams);
      EXPECT_EQ(threads % streams, 0);
    }
  }
}

TEST(ThreadsStreams, SmallLayersMayRunOnFewerThreads) {
  const Proposals proposals =
      propose_for(finding(Remedy::kThreadsAndStreams, "small-layers"), context());
  EXPECT_THAT(splits(proposals), testing::Contains(std::pair(1, 2)));
}

TEST(Batch, OnlyWhenRequestsHaveCompany) {
  Context busy = context();
  busy.mean_in_flight = 5;
  const Proposals proposals = propose_for(finding(Remedy::kBatch), busy);
  ASSERT_THAT(proposals.proposals, SizeIs(2));
  EXPECT_EQ(proposals.proposals[0].variant.batch, 4);
  EXPECT_EQ(proposals.proposals[1].variant.batch, 2);
  ASSERT_THAT(proposals.refusals, SizeIs(1));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("batch 8"));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("on average 5.0 are"));
  EXPECT_THAT(proposals.refusals[0].variant, HasSubstr("b8"));
}

TEST(Batch, AFixedFirstAxisCanBeJoinedWhenOutputsHaveItToo) {
  Context fixed = context();
  fixed.mean_in_flight = 2;
  fixed.graph.inputs[0].shape = {1, 3, 224, 224};
  fixed.graph.outputs[0].shape = {1, 1000};
  EXPECT_THAT(propose_for(finding(Remedy::kBatch), fixed).proposals, SizeIs(1));
}

TEST(Batch, ModelsWithoutACommonAxisAreRefused) {
  Context odd = context();
  odd.mean_in_flight = 100;
  odd.graph.inputs[0].shape = {1, 3};
  odd.graph.outputs[0].shape = {7};
  const Proposals proposals = propose_for(finding(Remedy::kBatch), odd);
  EXPECT_THAT(proposals.proposals, IsEmpty());
  ASSERT_THAT(proposals.refusals, SizeIs(3));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("cannot be joined"));
  odd.graph.inputs.clear();
  EXPECT_THAT(propose_for(finding(Remedy::kBatch), odd).proposals, IsEmpty());
}

model::InputShapes wide(std::int64_t width) { return {{"x", {1, 3, 48, width}}}; }

TEST(Shapes, TheShapeOfMostRequestsGetsABucket) {
  Context with = context();
  with.incumbent.batch = 4;
  with.observed_shapes = {{wide(320), 0.9}, {wide(640), 0.1}};
  const Proposals proposals = propose_for(finding(Remedy::kStaticShapes), with);
  ASSERT_THAT(proposals.proposals, SizeIs(1));
  EXPECT_EQ(proposals.proposals[0].variant.shapes, wide(320));
  EXPECT_EQ(proposals.proposals[0].variant.batch, 1);
  EXPECT_EQ(proposals.proposals[0].variant.threads, 4);
  EXPECT_NEAR(proposals.proposals[0].expected_gain, 0.2 * 0.9, 1e-9);
}

TEST(Shapes, SeveralBucketsMayTogetherServeMostRequests) {
  Context with = context();
  with.observed_shapes = {{wide(320), 0.5}, {wide(640), 0.35}, {wide(100), 0.15}};
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, SizeIs(2));
}

TEST(Shapes, ScatteredShapesAreRefused) {
  Context with = context();
  with.observed_shapes = {{wide(320), 0.4}, {wide(640), 0.1}};
  const Proposals proposals = propose_for(finding(Remedy::kStaticShapes), with);
  EXPECT_THAT(proposals.proposals, IsEmpty());
  ASSERT_THAT(proposals.refusals, SizeIs(1));
  EXPECT_THAT(proposals.refusals[0].reason, HasSubstr("x[1,3,48,320]: 40 % of requests have it"));
}

TEST(Shapes, NothingForStaticModelsBucketsOrUnknownTraffic) {
  Context with = context();
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, IsEmpty());
  with.observed_shapes = {{wide(320), 1.0}};
  with.incumbent.shapes = wide(640);
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, IsEmpty());
  with.incumbent.shapes.clear();
  with.graph.inputs[0].shape = {1, 3, 48, 320};
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, IsEmpty());
}

TEST(Shapes, ThatTheModelRefusesAreNotProposed) {
  Context with = context();
  with.observed_shapes = {{{{"x", {1, 4, 48, 320}}}, 1.0}};
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, IsEmpty());
  with.observed_shapes = {{{{"other", {1, 3, 48, 320}}}, 1.0}};
  EXPECT_THAT(propose_for(finding(Remedy::kStaticShapes), with).proposals, IsEmpty());
}

TEST(Propose, EachVariantOnceWithItsLargestGainAndOrdered) {
  Context with = context();
  with.capabilities.precisions = {Precision::kF32, Precision::kBF16, Precision::kF16};
  Finding small = finding(Remedy::kLowerPrecision, "small");
  Finding large = finding(Remedy::kLowerPrecision, "large");
  large.gain_high = 0.5;
  const Proposals proposals = propose({small, large, finding(Remedy::kThreadsAndStreams)}, with);
  ASSERT_THAT(proposals.proposals, SizeIs(4));
  EXPECT_EQ(proposals.proposals[0].finding, "large");
  EXPECT_EQ(proposals.proposals[1].finding, "large");
  std::set<std::string> ids;
  for (std::size_t i = 0; i < proposals.proposals.size(); ++i) {
    ids.insert(proposals.proposals[i].variant.id());
    EXPECT_NE(proposals.proposals[i].variant, with.incumbent);
    if (i > 0) {
      EXPECT_LE(proposals.proposals[i].expected_gain, proposals.proposals[i - 1].expected_gain);
    }
  }
  EXPECT_THAT(ids, SizeIs(4));
}

TEST(Propose, RefusalsAreToldOnce) {
  EXPECT_THAT(
      propose({finding(Remedy::kLowerPrecision, "a"), finding(Remedy::kLowerPrecision, "b")},
              context())
          .refusals,
      SizeIs(2));
}

}  // namespace
}  // namespace tachostat::optimize

// The whole governor over a simulated request plane.
#include "govern/govern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "govern/fake_plant.h"
#include "govern/fake_store.h"

namespace tachostat::govern {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const model::Variant kStart = {.threads = 2, .streams = 1};
const model::Variant kStreams = {.threads = 2, .streams = 2};
const model::Variant kBF16 = {.precision = model::Precision::kBF16, .threads = 2, .streams = 1};
const model::InputShapes kCommon = {{"x", {1, 3, 48, 320}}};
const model::InputShapes kRare = {{"x", {1, 3, 48, 640}}};

model::Variant bucket_of(model::Variant variant) {
  variant.shapes = kCommon;
  return variant;
}

class GovernorTest : public testing::Test {
 protected:
  GovernorTest() {
    options_.start = kStart;
    options_.find_bottlenecks = [](const profile::Profile& profile, const profile::Roofline&) {
      diagnose::Finding finding;
      finding.rule = "idle-workers";
      finding.summary = "workers of " + profile.variant + " are idle half of the time";
      return std::vector<diagnose::Finding>{finding};
    };
    options_.find_candidates = [this](const std::vector<diagnose::Finding>&,
                                      const optimize::Context& context) {
      last_context_ = context;
      optimize::Proposals proposals;
      for (const model::Variant& variant : candidates_) {
        if (variant == context.incumbent) continue;
        optimize::Proposal proposal;
        proposal.variant = variant;
        proposal.proposer = "test";
        proposal.finding = "idle-workers";
        proposal.reason = "workers are idle";
        proposals.proposals.push_back(proposal);
      }
      return proposals;
    };
    plant_.behaviour = [this](const model::Variant& variant) {
      FakeBehaviour behaviour = base_;
      behaviour.streams = variant.streams;
      behaviour.threads = variant.threads;
      if (variant.precision != model::Precision::kDefault) {
        behaviour.precision = std::string(model::name_of(variant.precision));
      }
      const auto special = behaviours_.find(variant.id());
      if (special != behaviours_.end()) special->second(behaviour);
      return behaviour;
    };
    model::Port input;
    input.name = "x";
    input.type = model::DataType::kF32;
    input.shape = {1, 3, 48, model::kDynamic};
    plant_.graph_value.inputs.push_back(input);
    plant_.graph_value.name = "recogniser";
  }

  void candidate(const model::Variant& variant, std::function<void(FakeBehaviour&)> set) {
    candidates_.push_back(variant);
    behaviours_[variant.id()] = std::move(set);
  }
  void start() {
    log_ = std::make_unique<DecisionLog>(clock_, &store_, "recogniser");
    governor_ = std::make_unique<Governor>(clock_, plant_, make_ladder(), *log_, &store_, options_);
    ASSERT_TRUE(governor_->start().ok());
  }
  void run(double length) {
    const base::Time end = clock_.now() + base::from_seconds(length);
    while (clock_.now() < end) {
      plant_.run(milliseconds(50));
      governor_->step();
    }
  }
  // Until nothing is left to try; fails after ten minutes.
  void run_until_holding() {
    for (int i = 0; i < 600 && governor_->state().phase != "holding"; ++i) run(1);
    EXPECT_EQ(governor_->state().phase, "holding");
  }
  void run_until_trial() {
    for (int i = 0; i < 3000 && governor_->state().phase != "trial"; ++i) run(0.05);
    EXPECT_EQ(governor_->state().phase, "trial");
    run(1);
  }
  std::vector<std::string> reasons(const std::string& kind) const {
    std::vector<std::string> found;
    for (const Decision& decision : log_->decisions()) {
      if (decision.kind == kind) found.push_back(decision.reason);
    }
    return found;
  }
  std::string serving() const { return governor_->state().variant; }
  std::optional<verify::Point> on_frontier(const model::Variant& variant) const {
    const verify::Frontier frontier = governor_->state().frontier;
    const verify::Point* point = frontier.find(variant.id());
    return point == nullptr ? std::nullopt : std::optional(*point);
  }
  std::vector<std::string> served_by_last_plan() const {
    std::vector<std::string> ids;
    for (const model::Plan::Share& share : plant_.plans().back().shares) {
      ids.push_back(share.variant);
    }
    return ids;
  }
  // Every plan has a last share that takes any shape.
  void expect_all_routable() const {
    EXPECT_EQ(plant_.unroutable(), 0u);
    for (const model::Plan& plan : plant_.plans()) {
      EXPECT_TRUE(plan.shares.back().shapes.empty());
    }
  }

  base::ManualClock clock_;
  FakePlant plant_{clock_, 7};
  FakeStore store_;
  GovernorOptions options_;
  FakeBehaviour base_;
  std::vector<model::Variant> candidates_;
  std::map<std::string, std::function<void(FakeBehaviour&)>> behaviours_;
  optimize::Context last_context_;
  std::unique_ptr<DecisionLog> log_;
  std::unique_ptr<Governor> governor_;
};

TEST_F(GovernorTest, StartPublishesThePlanAndSaysSo) {
  start();
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStart.id()));
  EXPECT_EQ(plant_.plans().back().concurrency, 1);
  EXPECT_THAT(reasons("start"), ElementsAre(HasSubstr("2 threads, 1 streams")));
  EXPECT_TRUE(on_frontier(kStart).has_value());
}

TEST_F(GovernorTest, StartErrorIsFinal) {
  behaviours_[kStart.id()] = [](FakeBehaviour& b) { b.load_error = base::internal("no device"); };
  DecisionLog log(clock_, nullptr, "m");
  Governor governor(clock_, plant_, make_ladder(), log, nullptr, options_);
  const absl::Status status = governor.start();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no device"));
  EXPECT_THAT(log.decisions(), IsEmpty());
}

TEST_F(GovernorTest, NoTrafficNoTrial) {
  candidate(kStreams, [](FakeBehaviour&) {});
  start();
  run(120);
  EXPECT_EQ(governor_->state().phase, "observing");
  EXPECT_EQ(plant_.plans().size(), 1u);
  EXPECT_FALSE(governor_->state().target_met.has_value());
}

TEST_F(GovernorTest, FindsTheBestVariantAndServesIt) {
  candidate({.threads = 1, .streams = 1}, [](FakeBehaviour& b) { b.service_ms = 14; });
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 9.5;
    b.difference = 1e-2;
  });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), kStreams.id());
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStreams.id()));
  EXPECT_EQ(plant_.plans().back().concurrency, 2);
  const std::vector<std::string> switches = reasons("switch");
  ASSERT_FALSE(switches.empty());
  EXPECT_THAT(switches.back(), HasSubstr("times the mean latency"));
  EXPECT_THAT(reasons("refused"), Contains(HasSubstr("not faster")));
  const std::optional<verify::Point> point = on_frontier(kStreams);
  ASSERT_TRUE(point.has_value());
  EXPECT_NEAR(point->service_ms, 12, 1);
  EXPECT_NEAR(point->capacity, 2 / 0.012, 15);
  EXPECT_TRUE(plant_.loaded().contains(kStart.id())) << "the fallback stays";
  EXPECT_LE(plant_.most_loaded(), options_.max_loaded);
  EXPECT_GT(store_.count("trial"), 0);
  EXPECT_NEAR(last_context_.mean_in_flight, 2, 0.3);
}

TEST_F(GovernorTest, EveryTrialHasItsSampleSizeAndInterval) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  const std::vector<verify::Trial> trials = governor_->state().trials;
  ASSERT_EQ(trials.size(), 1u);
  EXPECT_EQ(trials[0].outcome, verify::Trial::Outcome::kProved);
  EXPECT_GE(trials[0].pairs, options_.test.min_pairs);
  EXPECT_LT(trials[0].ratio_high, 1 - options_.test.min_gain);
  EXPECT_LE(trials[0].ratio_low, trials[0].ratio);
  EXPECT_GT(trials[0].base_requests, 0u);
  EXPECT_GT(trials[0].candidate_requests, 0u);
  EXPECT_GT(trials[0].base_p99_ms, trials[0].candidate_p99_ms);
  EXPECT_EQ(trials[0].base, kStart.id());
  EXPECT_EQ(trials[0].finding, "idle-workers");
  for (const Decision& decision : log_->decisions()) {
    EXPECT_FALSE(decision.reason.empty());
    EXPECT_FALSE(nlohmann::json::parse(decision.evidence_json, nullptr, false).is_discarded());
  }
}

TEST_F(GovernorTest, NoiseMovesNothing) {
  base_.noise = 0.2;
  candidate({.threads = 1, .streams = 1}, [](FakeBehaviour&) {});  // the same in all but name
  plant_.set_traffic({.rate = 40});
  start();
  run_until_holding();
  run(300);
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("switch"), IsEmpty());
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStart.id()));
}

TEST_F(GovernorTest, RefusesAnInaccurateVariantWithoutServingWithIt) {
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 5;
    b.label_error = 0.2;
    b.difference = 0.3;
  });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  EXPECT_EQ(plant_.plans().size(), 1u);
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("not accurate")));
  EXPECT_FALSE(plant_.loaded().contains(kBF16.id()));
}

TEST_F(GovernorTest, RefusesOutputsThatAreNotFinite) {
  candidate(kBF16, [](FakeBehaviour& b) { b.finite = false; });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("not finite")));
}

TEST_F(GovernorTest, CollectsLabelsForAModelWithOneLabelARequest) {
  plant_.labels_per_request = 1;
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 7;
    b.difference = 1e-2;
  });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), kBF16.id());
  EXPECT_THAT(plant_.mirrors(), Ge(19));
  const std::optional<verify::Point> point = on_frontier(kBF16);
  ASSERT_TRUE(point.has_value());
  EXPECT_GT(point->drop_bound, 0);
  EXPECT_LE(point->drop_bound, 0.01);
}

TEST_F(GovernorTest, RefusesAVariantThatDidNotTakeItsRecipe) {
  candidate(kBF16, [](FakeBehaviour& b) {
    b.precision = "f32";
    b.service_ms = 5;
  });
  candidate(kStreams, [](FakeBehaviour& b) { b.streams = 1; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("asked for bf16, the engine runs f32"),
                                              HasSubstr("asked for 2 streams")));
  EXPECT_EQ(plant_.plans().size(), 1u);
}

TEST_F(GovernorTest, AFailedLoadIsARefusal) {
  candidate(kBF16, [](FakeBehaviour& b) { b.load_error = base::unavailable("out of memory"); });
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_THAT(reasons("refused"), Contains(HasSubstr("out of memory")));
  EXPECT_EQ(serving(), kStreams.id());
}

TEST_F(GovernorTest, FailuresEndATrialAtOnce) {
  candidate(kStreams, [](FakeBehaviour& b) {
    b.service_ms = 5;
    b.failure_rate = 0.5;
  });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("requests failed")));
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStart.id()));
  EXPECT_LE(plant_.plans().size(), 5u);
}

TEST_F(GovernorTest, ASlowCandidateHurtsForTwoBlocksAtMost) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 100; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("over 3 times the base's")));
  int slow = 0;
  for (const model::Plan& plan : plant_.plans()) {
    slow += plan.shares[0].variant == kStreams.id() ? 1 : 0;
  }
  EXPECT_LE(slow, 2);
}

TEST_F(GovernorTest, ACandidateThatHangsIsRefused) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 1e6; });
  plant_.set_traffic({.rate = 40});
  start();
  for (int i = 0; i < 60 && reasons("refused").empty(); ++i) run(1);
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("answered none of")));
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStart.id()));
}

TEST_F(GovernorTest, TrafficThatStopsPostponesTheTrial) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_trial();
  plant_.set_traffic({});
  run(60);
  EXPECT_THAT(served_by_last_plan(), ElementsAre(kStart.id()));
  EXPECT_THAT(reasons("refused"), IsEmpty());
  EXPECT_EQ(governor_->state().phase, "observing");
  plant_.set_traffic({.clients = 2});
  run_until_holding();
  EXPECT_EQ(serving(), kStreams.id());
}

TEST_F(GovernorTest, AStoreThatFailsStopsNothing) {
  store_.failing = true;
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), kStreams.id());
  EXPECT_GT(store_.attempts, 3);
}

TEST_F(GovernorTest, AStricterAccuracyTargetEndsTheTrialAndTheCandidate) {
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 7;
    b.difference = 1e-2;
  });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_trial();
  Targets strict;
  strict.max_drop = 1e-4;
  governor_->set_targets(strict);
  EXPECT_EQ(governor_->state().targets.max_drop, 1e-4);
  run_until_holding();
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("over the allowed 0.01 %")));
  EXPECT_THAT(reasons("target"), ElementsAre(HasSubstr("0.01 %")));
}

TEST_F(GovernorTest, AStricterAccuracyTargetLeavesAServingVariant) {
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 7;
    b.difference = 1e-2;
  });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  ASSERT_EQ(serving(), kBF16.id());
  Targets strict;
  strict.max_drop = 1e-5;
  governor_->set_targets(strict);
  run(5);
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("switch").back(), HasSubstr("no longer allowed"));
}

TEST_F(GovernorTest, ALooserAccuracyTargetTriesAgain) {
  candidate(kBF16, [](FakeBehaviour& b) {
    b.service_ms = 7;
    b.difference = 1e-2;
    b.label_error = 0.02;
  });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  ASSERT_EQ(serving(), kStart.id());
  Targets loose;
  loose.max_drop = 0.05;
  governor_->set_targets(loose);
  run(1);
  run_until_holding();
  EXPECT_EQ(serving(), kBF16.id());
}

TEST_F(GovernorTest, ShadowRecordsButNeverPublishes) {
  options_.learn = Learn::kShadow;
  candidate({.threads = 1, .streams = 1}, [](FakeBehaviour& b) { b.service_ms = 6; });
  candidate({.threads = 4, .streams = 1}, [](FakeBehaviour& b) { b.service_ms = 11; });
  candidate({.threads = 2, .streams = 1, .batch = 4}, [](FakeBehaviour&) {});
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_EQ(plant_.plans().size(), 1u);
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("proved"), ElementsAre(HasSubstr("would be faster")));
  EXPECT_THAT(reasons("refused"),
              ElementsAre(HasSubstr("would not be faster"), HasSubstr("batching")));
  EXPECT_THAT(plant_.loaded(), ElementsAre(kStart.id()));
}

TEST_F(GovernorTest, OffLearnsNothing) {
  options_.learn = Learn::kOff;
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 6; });
  plant_.set_traffic({.clients = 2});
  start();
  run(60);
  EXPECT_EQ(plant_.plans().size(), 1u);
  EXPECT_THAT(plant_.loads(), ElementsAre(kStart.id()));
  EXPECT_EQ(governor_->state().phase, "holding");
  EXPECT_GT(governor_->state().throughput, 50);
  ASSERT_TRUE(governor_->state().profile.has_value()) << "what is measured is shown all the same";
  EXPECT_EQ(governor_->state().profile->variant, kStart.id());
  EXPECT_EQ(governor_->state().findings.size(), 1u);
}

TEST_F(GovernorTest, AShapeBucketLeavesOtherShapesToTheIncumbent) {
  candidate(bucket_of(kStart), [](FakeBehaviour& b) { b.service_ms = 5; });
  plant_.set_traffic({.clients = 1, .shapes = {{kCommon, 0.9}, {kRare, 0.1}}});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), bucket_of(kStart).id());
  EXPECT_THAT(served_by_last_plan(), ElementsAre(bucket_of(kStart).id(), kStart.id()));
  EXPECT_EQ(plant_.plans().back().shares[0].shapes, kCommon);
  expect_all_routable();
  ASSERT_EQ(last_context_.observed_shapes.size(), 2u);
  EXPECT_EQ(last_context_.observed_shapes[0].first, kCommon);
}

TEST_F(GovernorTest, AStartVariantWithABucketGetsACompanion) {
  options_.start = bucket_of(kStart);
  plant_.set_traffic({.clients = 1, .shapes = {{kCommon, 0.9}, {kRare, 0.1}}});
  start();
  run_until_holding();
  EXPECT_THAT(served_by_last_plan(), ElementsAre(bucket_of(kStart).id(), kStart.id()));
  expect_all_routable();
}

TEST_F(GovernorTest, ABatchingCandidateIsServedWithADelay) {
  const model::Variant batching = {.threads = 2, .streams = 1, .batch = 4};
  candidate(batching, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 4});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), batching.id());
  EXPECT_EQ(plant_.plans().back().max_batch, 4);
  EXPECT_GT(plant_.plans().back().max_batch_delay, base::Duration(0));
  EXPECT_LE(plant_.plans().back().max_batch_delay, milliseconds(5));
}

TEST_F(GovernorTest, AStartVariantThatIsNoF32IsComparedWithOne) {
  const model::Variant reference = {.precision = model::Precision::kF32};
  options_.start = kBF16;
  behaviours_[reference.id()] = [](FakeBehaviour& b) {
    b.threads = 2;
    b.service_ms = 15;
  };
  behaviours_[kBF16.id()] = [](FakeBehaviour& b) { b.difference = 1e-2; };
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), kBF16.id());
  EXPECT_THAT(reasons("proved"), ElementsAre(HasSubstr("start variant is accurate")));
  EXPECT_THAT(plant_.loaded(), ElementsAre(kBF16.id())) << "the reference was temporary";
  ASSERT_TRUE(on_frontier(kBF16).has_value());
  EXPECT_GT(on_frontier(kBF16)->drop_bound, 0);
}

TEST_F(GovernorTest, AnInaccurateStartVariantGivesWayToF32) {
  const model::Variant reference = {.precision = model::Precision::kF32};
  options_.start = kBF16;
  behaviours_[kBF16.id()] = [](FakeBehaviour& b) { b.label_error = 0.3; };
  behaviours_[reference.id()] = [](FakeBehaviour& b) { b.service_ms = 15; };
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), reference.id());
  EXPECT_THAT(served_by_last_plan(), ElementsAre(reference.id()));
  EXPECT_THAT(reasons("switch"), ElementsAre(HasSubstr("f32 reference")));
}

TEST_F(GovernorTest, TheLadderFollowsTheLoadUpAndDown) {
  // Two clients prove the wide variant; then the load falls, and rises again.
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 15; });
  options_.targets.p99 = milliseconds(80);
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  ASSERT_EQ(serving(), kStreams.id());
  plant_.set_traffic({.rate = 25});
  run(30);
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("switch").back(), HasSubstr("would carry it"));
  ASSERT_TRUE(governor_->state().profile.has_value());
  EXPECT_EQ(governor_->state().profile->variant, kStart.id());
  plant_.set_traffic({.rate = 110});
  run(30);
  EXPECT_EQ(serving(), kStreams.id());
  EXPECT_THAT(reasons("switch").back(), HasSubstr("is missed"));
  EXPECT_THAT(reasons("switch"), testing::SizeIs(3));
}

TEST_F(GovernorTest, SaysWhyTheTargetCannotBeHeldAndWhenItIsAgain) {
  options_.targets.p99 = milliseconds(5);
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  run(10);
  EXPECT_EQ(governor_->state().target_met, false);
  ASSERT_THAT(reasons("degraded"), testing::SizeIs(1)) << "said once";
  EXPECT_THAT(reasons("degraded")[0], HasSubstr("5.00ms is missed"));
  EXPECT_THAT(reasons("degraded")[0], HasSubstr("workers of"));
  Targets easier;
  easier.p99 = milliseconds(9);
  governor_->set_targets(easier);
  run(10);
  EXPECT_THAT(reasons("degraded"), testing::SizeIs(2));
  easier.p99 = milliseconds(50);
  governor_->set_targets(easier);
  run(10);
  EXPECT_EQ(governor_->state().target_met, true);
}

TEST_F(GovernorTest, SaysWhenTheTargetIsHeldAgain) {
  options_.targets.p99 = milliseconds(100);
  plant_.set_traffic({.rate = 150});
  start();
  run(20);
  ASSERT_THAT(reasons("degraded"), testing::SizeIs(1));
  EXPECT_THAT(reasons("degraded")[0], HasSubstr("requests wait"));
  plant_.set_traffic({.rate = 20});
  run(20);
  EXPECT_THAT(reasons("target"), ElementsAre(HasSubstr("held again")));
}

TEST_F(GovernorTest, LearnsAgainWhenTrafficChanges) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 15; });
  plant_.set_traffic({.clients = 1});
  start();
  run_until_holding();
  ASSERT_EQ(serving(), kStart.id()) << "one client gains nothing from a second stream";
  run(60);
  EXPECT_THAT(reasons("learning"), IsEmpty());
  plant_.set_traffic({.clients = 4});
  run(10);
  EXPECT_THAT(reasons("learning"), ElementsAre(HasSubstr("requests in flight went from 1")));
  run_until_holding();
  EXPECT_EQ(serving(), kStreams.id());
  plant_.set_traffic({.clients = 1});
  run(80);
  run_until_holding();
  EXPECT_EQ(serving(), kStart.id()) << "the frontier's others are tried again";
}

TEST_F(GovernorTest, WithoutProfilesItSaysThatItWaits) {
  plant_.has_profiles = false;
  candidate(kStreams, [](FakeBehaviour&) {});
  plant_.set_traffic({.clients = 2});
  start();
  run(200);
  EXPECT_EQ(governor_->state().phase, "profiling");
  EXPECT_THAT(reasons("holding"), ElementsAre(HasSubstr("no layer profile")));
  EXPECT_EQ(plant_.plans().size(), 1u);
}

TEST_F(GovernorTest, TheRealRulesAndProposersFindIdleWorkers) {
  options_.find_bottlenecks = nullptr;
  options_.find_candidates = nullptr;
  plant_.capabilities_value.hardware_threads = 2;
  plant_.capabilities_value.precisions = {model::Precision::kF32};
  plant_.behaviour = [](const model::Variant& variant) {
    FakeBehaviour behaviour;
    behaviour.threads = variant.threads;
    behaviour.streams = variant.streams;
    behaviour.service_ms = variant.streams == 2 ? 12 : 10;
    return behaviour;
  };
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_THAT(reasons("trial"), Contains(HasSubstr("workers idle 50 %")));
  EXPECT_EQ(plant_.plans().back().concurrency, 2) << "two streams serve: " << serving();
  EXPECT_THAT(reasons("switch"), Not(IsEmpty()));
}

TEST_F(GovernorTest, NeverMoreLoadedThanAllowed) {
  options_.max_loaded = 3;
  for (int threads = 3; threads < 12; ++threads) {
    const model::Variant variant = {.threads = threads, .streams = 1};
    candidate(variant, [threads](FakeBehaviour& b) { b.service_ms = 12.0 - 0.8 * threads; });
  }
  plant_.set_traffic({.clients = 2});
  start();
  run_until_holding();
  EXPECT_EQ(serving(), (model::Variant{.threads = 11, .streams = 1}).id());
  EXPECT_LE(plant_.most_loaded(), 3u);
  EXPECT_TRUE(plant_.loaded().contains(kStart.id()));
  EXPECT_TRUE(plant_.loaded().contains(serving()));
}

TEST_F(GovernorTest, APlanThatIsRefusedChangesNothing) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  plant_.publish_error = base::invalid_argument("no");
  run_until_holding();
  EXPECT_EQ(serving(), kStart.id());
  EXPECT_THAT(reasons("refused"), ElementsAre(HasSubstr("its plan was refused")));
}

TEST_F(GovernorTest, TheSameSeedDecidesTheSame) {
  std::vector<std::string> histories;
  for (int i = 0; i < 2; ++i) {
    base::ManualClock clock;
    FakePlant plant(clock, 42);
    plant.behaviour = [](const model::Variant& variant) {
      FakeBehaviour behaviour;
      behaviour.streams = variant.streams;
      behaviour.service_ms = variant.streams == 2 ? 17 : 10;
      return behaviour;
    };
    candidates_ = {kStreams};
    plant.set_traffic({.rate = 70});
    DecisionLog log(clock, nullptr, "m");
    Governor governor(clock, plant, make_ladder(), log, nullptr, options_);
    ASSERT_TRUE(governor.start().ok());
    for (int step = 0; step < 20 * 120; ++step) {
      plant.run(milliseconds(50));
      governor.step();
    }
    std::string history;
    for (const Decision& decision : log.decisions()) history += to_json(decision) + "\n";
    histories.push_back(history);
  }
  EXPECT_EQ(histories[0], histories[1]);
  EXPECT_THAT(histories[0], HasSubstr("\"kind\":\"trial\""));
}

TEST_F(GovernorTest, StateAndTargetsFromOtherThreads) {
  candidate(kStreams, [](FakeBehaviour& b) { b.service_ms = 12; });
  plant_.set_traffic({.clients = 2});
  start();
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const GovernorState state = governor_->state();
      EXPECT_FALSE(state.variant.empty());
      std::this_thread::yield();
    }
  });
  std::jthread writer([&] {
    for (int i = 1; i < 50; ++i) {
      Targets targets;
      targets.p99 = milliseconds(20 + i);
      governor_->set_targets(targets);
    }
  });
  run(60);
  writer.join();
  reader.request_stop();
  reader.join();
  EXPECT_EQ(governor_->state().targets.p99, milliseconds(69));
}

}  // namespace
}  // namespace tachostat::govern

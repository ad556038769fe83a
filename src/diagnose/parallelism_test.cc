#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(IdleWorkers, LowEfficiencyOverMuchOfTheTimeIsFound) {
  LayerProfile idle = layer("lstm", 0.6, 20e9, 1e9);
  idle.thread_efficiency = 0.5;
  const std::vector<Finding> findings = diagnose(profile_of({idle, healthy(0.38)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("idle-workers"));
  expect_honest(findings[0]);
  EXPECT_NEAR(findings[0].gain_high, 0.6 * (1 - 0.5 * 0.9), 1e-9);
  EXPECT_NEAR(findings[0].gain_low, 0.6 * (1 - 0.5 * 1.4), 1e-9);
  EXPECT_THAT(findings[0].remedies, ElementsAre(Remedy::kThreadsAndStreams));
  EXPECT_EQ(findings[0].evidence[0].metric, "thread efficiency");
  EXPECT_EQ(findings[0].evidence[0].n, kRequests);
}

TEST(IdleWorkers, OneThreadCannotBeIdle) {
  LayerProfile idle = layer("lstm", 0.6, 20e9, 1e9);
  idle.thread_efficiency = 0.5;
  Profile profile = profile_of({idle, healthy(0.38)});
  profile.threads = 1;
  for (const Finding& finding : diagnose(profile, machine())) {
    EXPECT_NE(finding.rule, "idle-workers");
  }
}

TEST(IdleWorkers, ASmallIdlePartIsNotWorthAFinding) {
  LayerProfile idle = layer("lstm", 0.19, 20e9, 1e9);
  idle.thread_efficiency = 0.1;
  EXPECT_THAT(diagnose(profile_of({idle, healthy(0.8)}), machine()), IsEmpty());
}

TEST(IdleWorkers, WithoutWorkerSpansComputeTellsButPromisesNothing) {
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("conv", 0.9, 30e9, 2e9)}), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("idle-workers"));
  expect_honest(findings[0]);
  EXPECT_EQ(findings[0].gain_low, 0);
  EXPECT_LT(findings[0].gain_high, 0.45);
}

TEST(IdleWorkers, WithoutARooflineComputeTellsNothing) {
  EXPECT_THAT(diagnose(profile_of({layer("conv", 0.9, 30e9, 2e9)}), {}), IsEmpty());
}

TEST(SmallLayers, ManyShortLayersAreFound) {
  std::vector<LayerProfile> layers;
  for (int i = 0; i < 400; ++i) {
    layers.push_back(layer("relu" + std::to_string(i), 0.001, 1e9, 1e9));
    layers.back().thread_efficiency = 0.9;
  }
  layers.push_back(healthy(0.58));
  const std::vector<Finding> findings = diagnose(profile_of(layers), machine());
  ASSERT_THAT(rules_of(findings), ElementsAre("small-layers"));
  expect_honest(findings[0]);
  EXPECT_NEAR(findings[0].gain_low, 400 * 500.0 / kRequestNs, 1e-9);
  EXPECT_NEAR(findings[0].gain_high, 0.4 * 0.6, 1e-9);

  for (LayerProfile& one : layers) one.thread_efficiency = one.name == "fine" ? 0.9 : -1;
  EXPECT_THAT(diagnose(profile_of(layers), machine()), IsEmpty()) << "they ran on one thread";
}

TEST(IdleWorkers, SevenTenthsBusyIsEnough) {
  Profile profile = profile_of({node("lstm", "LSTMSequence", 0.6)});
  profile.layers[0].thread_efficiency = 0.69;
  EXPECT_TRUE(speaks("idle-workers", profile));
  profile.layers[0].thread_efficiency = 0.71;
  EXPECT_FALSE(speaks("idle-workers", profile));
}

TEST(SmallLayers, AFifthOfTheTimeIsTheLeast) {
  const auto with = [](int count, const char* type) {
    std::vector<LayerProfile> layers;
    for (int i = 0; i < count; ++i)
      layers.push_back(node(std::to_string(i), type, 0.001, {i > 0 ? i - 1 : Tensor::kModelInput}));
    return profile_of(std::move(layers));
  };
  EXPECT_TRUE(speaks("small-layers", with(201, "Softmax")));
  EXPECT_FALSE(speaks("small-layers", with(199, "Softmax")));
  EXPECT_FALSE(speaks("small-layers", with(201, "Reorder"))) << "conversions have their own rule";
}

Profile threads_profile(double share, profile::ThreadStats threads) {
  Profile profile = profile_of({node("conv", "Convolution", share), healthy(0.4)});
  threads.executions = kRequests;
  profile.layers[0].threads = threads;
  return profile;
}

TEST(Imbalance, OneThreadWithMoreWorkIsFound) {
  expect_found(said("imbalance", threads_profile(0.5, {.participants = 2, .imbalance = 1.6})),
               {"imbalance",
                {"conv"},
                0.5,
                Objective::kLatency,
                {Remedy::kThreadsAndStreams, Remedy::kPadChannels}});
  EXPECT_FALSE(speaks("imbalance", threads_profile(0.5, {.participants = 2, .imbalance = 1.24})));
  EXPECT_FALSE(speaks("imbalance", threads_profile(0.09, {.participants = 2, .imbalance = 1.6})));
  EXPECT_FALSE(speaks("imbalance", threads_profile(0.5, {.participants = 1, .imbalance = 1.6})))
      << "one thread alone";
}

TEST(DispatchCost, HandingOutWorkIsFound) {
  // Of 5 ms.
  const auto with = [](double dispatch, double spread) {
    return threads_profile(0.5, {.dispatch_ns = dispatch, .start_spread_ns = spread});
  };
  expect_found(said("dispatch-cost", with(1e6, 5e5)),
               {"dispatch-cost",
                {"conv"},
                0.5,
                Objective::kLatency,
                {Remedy::kThreadsAndStreams, Remedy::kPinning}});
  EXPECT_FALSE(speaks("dispatch-cost", with(4.9e5, 0)));
  EXPECT_FALSE(speaks("dispatch-cost", with(-1, -1))) << "not seen";
  EXPECT_FALSE(speaks("dispatch-cost", threads_profile(0.5, {.tail_ns = 2e6}))) << "a late end";
}

Profile streams(int streams, double in_flight) {
  Profile profile = reading_profile({{"serving/in_flight", in_flight}});
  profile.streams = streams;
  return profile;
}

TEST(StreamsIdle, MoreStreamsThanRequestsAreFound) {
  expect_found(said("streams-idle", streams(4, 1)),
               {"streams-idle", {}, 1, Objective::kLatency, {Remedy::kThreadsAndStreams}});
  EXPECT_TRUE(speaks("streams-idle", streams(4, 2)));
  EXPECT_FALSE(speaks("streams-idle", streams(4, 2.1)));
  EXPECT_FALSE(speaks("streams-idle", streams(1, 0.5))) << "there is only one";
}

Profile crowded(int streams, const std::map<std::string, double>& readings) {
  Profile profile = reading_profile(readings);
  profile.streams = streams;
  return profile;
}

TEST(Oversubscription, MoreThreadsThanProcessorsAreFound) {
  Roofline small = machine();
  small.processors = 4;
  expect_found(said("oversubscription", crowded(4, {{"process/run_delay_share", 0.3}}), small),
               {"oversubscription", {}, 1, Objective::kThroughput, {Remedy::kThreadsAndStreams}});
  EXPECT_TRUE(speaks("oversubscription", crowded(4, {}), small)) << "waiting was not measured";
  EXPECT_FALSE(speaks("oversubscription", crowded(4, {{"process/run_delay_share", 0.049}}), small));
  EXPECT_FALSE(speaks("oversubscription", crowded(2, {{"process/run_delay_share", 0.3}}), small));
  EXPECT_FALSE(speaks("oversubscription", crowded(4, {{"process/run_delay_share", 0.3}})))
      << "processors are not known";
}

TEST(PinningCollision, WaitingBesideIdleProcessorsIsFound) {
  const auto with = [](double waiting, double idle) {
    return crowded(1, {{"process/run_delay_share", waiting}, {"processors/idle_share", idle}});
  };
  expect_found(
      said("pinning-collision", with(0.3, 0.4)),
      {"pinning-collision", {}, 1, Objective::kLatency, {Remedy::kPinning, Remedy::kNeighbours}});
  EXPECT_FALSE(speaks("pinning-collision", with(0.099, 0.4)));
  EXPECT_FALSE(speaks("pinning-collision", with(0.3, 0.199)));
  Roofline small = machine();
  small.processors = 1;
  EXPECT_FALSE(speaks("pinning-collision", with(0.3, 0.4), small)) << "its own threads are many";
}

TEST(PinningCollision, BusyProcessorsAreTheNeighbours) {
  const Profile profile = reading_profile({{"process/run_delay_share", 0.3},
                                           {"processors/idle_share", 0.05},
                                           {"processors/others_share", 0.5}});
  EXPECT_FALSE(speaks("pinning-collision", profile));
  EXPECT_TRUE(speaks("noisy-neighbour", profile));
}

TEST(HyperThreads, TwoBusyThreadsOnACoreAreFound) {
  Roofline cores = machine();
  cores.cores = 1;
  cores.processors = 2;
  const auto with = [](double flops) {
    LayerProfile one = layer("conv", 0.5, flops, 4e9);
    one.thread_efficiency = 0.95;
    return profile_of({one});
  };
  expect_found(
      said("hyper-threads", with(45e9), cores),
      {"hyper-threads", {"conv"}, 0.5, Objective::kThroughput, {Remedy::kThreadsAndStreams}});
  EXPECT_FALSE(speaks("hyper-threads", with(39e9), cores));
  cores.cores = 2;
  EXPECT_FALSE(speaks("hyper-threads", with(45e9), cores));
  cores.cores = 1;
  cores.processors = 1;
  EXPECT_FALSE(speaks("hyper-threads", with(45e9), cores)) << "that is oversubscription";
}

}  // namespace
}  // namespace tachostat::diagnose

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

void expect_lost(std::string_view rule, const std::map<std::string, double>& readings, double share,
                 std::vector<Remedy::Kind> remedies) {
  expect_found(said(rule, reading_profile(readings)),
               {rule, {}, share, Objective::kLatency, std::move(remedies)});
}

bool speaks_of(std::string_view rule, const std::map<std::string, double>& readings) {
  return speaks(rule, reading_profile(readings));
}

TEST(CpuQuota, ThrottledTimeIsFound) {
  expect_lost("cpu-quota", {{"cgroup/cpu/throttled", 0.25}, {"cgroup/cpu/quota", 1.5}}, 0.25,
              {Remedy::kThreadsAndStreams, Remedy::kQuota});
  EXPECT_TRUE(speaks_of("cpu-quota", {{"cgroup/cpu/throttled", 0.02}}));
  EXPECT_FALSE(speaks_of("cpu-quota", {{"cgroup/cpu/throttled", 0.0199}}));
  EXPECT_FALSE(speaks_of("cpu-quota", {{"cgroup/cpu/quota", 1.5}}))
      << "a quota that is not used up";
}

TEST(ThermalThrottling, WhatTheClockLosesToHeatIsFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kCooling, Remedy::kLowerPrecision,
                                              Remedy::kThreadsAndStreams};
  expect_lost("thermal-throttling",
              {{"throttle/package/time", 0.5}, {"frequency/below_nominal", 0.3}}, 0.3, remedies);
  expect_lost("thermal-throttling", {{"nvml/0/slowed_by/thermal", 0.4}}, 0.4, remedies);
  expect_lost("thermal-throttling", {{"thermal/cooling/Processor", 3}}, 0.5, remedies);
  EXPECT_FALSE(speaks_of("thermal-throttling", {{"throttle/package/time", 0.01}}));
  EXPECT_FALSE(speaks_of("thermal-throttling", {{"thermal/cooling/Fan", 3}})) << "fans may run";
  EXPECT_FALSE(speaks_of("thermal-throttling", {{"frequency/below_nominal", 0.3}}));
}

TEST(PowerThrottling, ALimitThatIsReachedIsFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kPowerLimit, Remedy::kLowerPrecision};
  expect_lost(
      "power-throttling",
      {{"rapl/package-0", 98}, {"rapl/package-0/limit", 100}, {"frequency/below_nominal", 0.2}},
      0.2, remedies);
  expect_lost("power-throttling", {{"nvml/0/slowed_by/power_cap", 0.5}}, 0.1, remedies);
  EXPECT_FALSE(
      speaks_of("power-throttling", {{"rapl/package-0", 96}, {"rapl/package-0/limit", 100}}));
  EXPECT_FALSE(speaks_of("power-throttling", {{"rapl/package-0", 96}})) << "no limit";
}

TEST(LowFrequency, AClockWithoutAnotherReasonIsFound) {
  expect_lost("low-frequency", {{"frequency/below_nominal", 0.4}}, 0.4, {Remedy::kFrequency});
  EXPECT_TRUE(speaks_of("low-frequency", {{"frequency/below_nominal", 0.11}}));
  EXPECT_FALSE(speaks_of("low-frequency", {{"frequency/below_nominal", 0.09}}));
  EXPECT_FALSE(
      speaks_of("low-frequency", {{"frequency/below_nominal", 0.4}, {"throttle/core/time", 0.2}}))
      << "heat is the reason";
  EXPECT_FALSE(speaks_of("low-frequency",
                         {{"frequency/below_nominal", 0.4}, {"nvml/slowed_by/power_cap", 1}}))
      << "power is the reason";
}

TEST(NoisyNeighbour, WhatOthersTakeIsFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kNeighbours, Remedy::kThreadsAndStreams};
  expect_lost("noisy-neighbour", {{"processors/stolen_share", 0.1}}, 0.1, remedies);
  expect_lost("noisy-neighbour",
              {{"processors/others_share", 0.4}, {"process/run_delay_share", 0.15}}, 0.15,
              remedies);
  EXPECT_FALSE(speaks_of("noisy-neighbour", {{"processors/stolen_share", 0.029}}));
  EXPECT_FALSE(speaks_of("noisy-neighbour",
                         {{"processors/others_share", 0.19}, {"process/run_delay_share", 0.15}}));
  EXPECT_FALSE(speaks_of("noisy-neighbour",
                         {{"processors/others_share", 0.4}, {"process/run_delay_share", 0.029}}))
      << "they do not disturb";
}

TEST(NoisyNeighbour, WaitingBesideIdleProcessorsOrForOnesOwnThreadsIsNot) {
  const std::map<std::string, double> tied = {{"processors/others_share", 0.4},
                                              {"process/run_delay_share", 0.3},
                                              {"processors/idle_share", 0.3}};
  EXPECT_FALSE(speaks_of("noisy-neighbour", tied));
  EXPECT_TRUE(speaks_of("pinning-collision", tied));

  Roofline small = machine();
  small.processors = 1;
  std::map<std::string, double> own = {{"processors/others_share", 0.4},
                                       {"process/run_delay_share", 0.3}};
  EXPECT_FALSE(speaks("noisy-neighbour", reading_profile(own), small));
  EXPECT_TRUE(speaks("oversubscription", reading_profile(own), small));

  own["processors/stolen_share"] = 0.05;
  const auto finding = said("noisy-neighbour", reading_profile(own), small);
  ASSERT_TRUE(finding.has_value());
  EXPECT_NEAR(finding->share, 0.05, 1e-9) << "only what was stolen";
}

TEST(MemoryPressure, StallsAreFound) {
  const std::vector<Remedy::Kind> remedies = {Remedy::kMemory, Remedy::kLowerPrecision,
                                              Remedy::kThreadsAndStreams};
  expect_lost("memory-pressure", {{"pressure/memory/some", 0.2}}, 0.2, remedies);
  expect_lost("memory-pressure",
              {{"pressure/memory/some", 0.5}, {"pressure/cgroup/memory/some", 0.1}}, 0.1, remedies);
  EXPECT_FALSE(speaks_of("memory-pressure", {{"pressure/memory/some", 0.019}}));
  EXPECT_FALSE(speaks_of("memory-pressure",
                         {{"pressure/memory/some", 0.5}, {"pressure/cgroup/memory/some", 0}}))
      << "others' stalls";
}

TEST(NumaRemote, PagesOnAnotherNodeAreFound) {
  expect_lost(
      "numa-remote",
      {{"numa/0/local_pages", 60}, {"numa/0/remote_pages", 30}, {"numa/1/remote_pages", 10}}, 0.4,
      {Remedy::kMemoryNode, Remedy::kPinning});
  EXPECT_FALSE(speaks_of("numa-remote", {{"numa/0/local_pages", 91}, {"numa/0/remote_pages", 9}}));
  EXPECT_FALSE(speaks_of("numa-remote", {{"numa/0/local_pages", 0}, {"numa/0/remote_pages", 0}}));
}

}  // namespace
}  // namespace tachostat::diagnose

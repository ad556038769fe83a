#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

TEST(HostDeviceCopies, CopiesAcrossTheBusAreFound) {
  const Profile profile = profile_of({node("in", "Memcpy HtoD (Pageable -> Device)", 0.1),
                                      node("conv", "aten::conv2d", 0.7),
                                      node("out", "Memcpy DtoH (Device -> Pinned)", 0.05)});
  expect_found(said("host-device-copies", profile), {"host-device-copies",
                                                     {"in", "out"},
                                                     0.15,
                                                     Objective::kLatency,
                                                     {Remedy::kShareBuffers, Remedy::kPlace}});
}

TEST(HostDeviceCopies, LittleTimeAndCopiesOnOneDeviceAreNot) {
  EXPECT_TRUE(speaks("host-device-copies", profile_of({node("in", "Memcpy HtoD", 0.031)})));
  EXPECT_FALSE(speaks("host-device-copies", profile_of({node("in", "Memcpy HtoD", 0.029)})));
  const Profile device = profile_of({node("copy", "Memcpy DtoD (Device -> Device)", 0.3)});
  EXPECT_FALSE(speaks("host-device-copies", device));
  EXPECT_TRUE(speaks("output-copies", device));
}

TEST(NetworkShare, TimeBetweenPartsIsFound) {
  // Of requests of 10 ms.
  expect_found(
      said("network-share", reading_profile({{"remote/network", 0.004}})),
      {"network-share", {}, 0.4, Objective::kLatency, {Remedy::kPlace, Remedy::kLowerPrecision}});
  EXPECT_FALSE(speaks("network-share", reading_profile({{"remote/network", 0.0019}})));
  EXPECT_FALSE(speaks("network-share", reading_profile({{"serving/decode", 0.004}})));
}

Profile device(double idle, double wait, double kernels, double kernel_s) {
  return reading_profile({{"device/idle_share", idle},
                          {"device/host_wait_share", wait},
                          {"device/kernels", kernels},
                          {"device/kernel_time", kernel_s}});
}

TEST(SynchronisationGaps, ADeviceThatIdlesWhileTheHostWaitsIsFound) {
  expect_found(said("synchronisation-gaps", device(0.4, 0.3, 10, 1e-4)),
               {"synchronisation-gaps",
                {},
                0.4,
                Objective::kLatency,
                {Remedy::kCaptureGraph, Remedy::kPlace}});
  EXPECT_FALSE(speaks("synchronisation-gaps", device(0.14, 0.3, 10, 1e-4)));
  EXPECT_FALSE(speaks("synchronisation-gaps", device(0.4, 0.09, 10, 1e-4)));
}

TEST(LaunchBound, ManySmallKernelsThatLeaveGapsAreFound) {
  expect_found(said("launch-bound", device(0.5, 0.02, 300, 5e-6)),
               {"launch-bound",
                {},
                0.5,
                Objective::kLatency,
                {Remedy::kCaptureGraph, Remedy::kFuse, Remedy::kBatch}});
  EXPECT_FALSE(speaks("launch-bound", device(0.24, 0.02, 300, 5e-6)));
  EXPECT_FALSE(speaks("launch-bound", device(0.5, 0.02, 19, 5e-6)));
  EXPECT_FALSE(speaks("launch-bound", device(0.5, 0.02, 300, 21e-6)));
}

TEST(LaunchBound, TheSameGapHasOneCause) {
  for (const double wait : {0.0, 0.05, 0.099, 0.1, 0.12, 0.2, 0.5}) {
    const Profile profile = device(0.5, wait, 300, 5e-6);
    EXPECT_NE(speaks("launch-bound", profile), speaks("synchronisation-gaps", profile)) << wait;
  }
}

}  // namespace
}  // namespace tachostat::diagnose

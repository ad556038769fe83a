// Heat and clocks: thermal, throttle, frequency, devfreq.
#include "probe/sensors/sources.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Thermal, TellsZonesTheirLimitAndTheCooling) {
  const auto thermal = make_thermal(at_root(root_of("intel_laptop")));
  // intel_powerclamp says -1 while it is off: no share.
  EXPECT_THAT(values_of(*thermal), UnorderedElementsAre(Pair("thermal/x86_pkg_temp", 71),
                                                        Pair("thermal/x86_pkg_temp/slows_at", 95),
                                                        Pair("thermal/acpitz", 52),
                                                        Pair("thermal/cooling/Processor", 0.25)));
}

TEST(Thermal, LeavesOutAZoneThatDoesNotAnswer) {
  const auto thermal = make_thermal(at_root(root_of("jetson_orin")));
  EXPECT_THAT(values_of(*thermal),
              UnorderedElementsAre(
                  Pair("thermal/cpu-thermal", 48.5), Pair("thermal/cpu-thermal/slows_at", 99),
                  Pair("thermal/gpu-thermal", 47.843), Pair("thermal/cooling/cpufreq-cpu0", 0.125),
                  Pair("thermal/cooling/devfreq-17000000.gpu", 0)));
}

TEST(Thermal, BelievesNothingBelowAbsoluteZeroNorWords) {
  const auto thermal = make_thermal(at_root(root_of("liars")));
  EXPECT_THAT(reason(thermal->available()), HasSubstr("-274 Cel is not possible"));
}

TEST(Throttle, CountsEachCoreAndPackageOnce) {
  const auto throttle = make_throttle(at_root(root_of("intel_laptop")));
  EXPECT_THAT(values_of(*throttle), UnorderedElementsAre(Pair("throttle/core/events", 47),
                                                         Pair("throttle/core/time", 0.98),
                                                         Pair("throttle/package/events", 120),
                                                         Pair("throttle/package/time", 2.5)));
}

TEST(Throttle, UnderstandsARaspberryPisFirmware) {
  const ChangedRoot root("raspberry_pi");
  const auto throttle = make_throttle(at_root(root.path()));
  EXPECT_THAT(
      values_of(*throttle),
      UnorderedElementsAre(Pair("throttle/firmware/undervoltage", 1),
                           Pair("throttle/firmware/undervoltage_since_start", 1),
                           Pair("throttle/firmware/capped", 0),
                           Pair("throttle/firmware/capped_since_start", 1),
                           Pair("throttle/firmware/throttled", 1),
                           Pair("throttle/firmware/throttled_since_start", 1),
                           Pair("throttle/firmware/soft_temperature_limit", 0),
                           Pair("throttle/firmware/soft_temperature_limit_since_start", 0)));
  // A mainline kernel has the alarm of rpi_volt only.
  root.remove("/sys/devices/platform");
  EXPECT_THAT(values_of(*throttle),
              UnorderedElementsAre(Pair("throttle/firmware/undervoltage", 1)));
}

TEST(Throttle, FindsTheFirmwareWhereOtherKernelsPutIt) {
  const ChangedRoot root;
  root.write("/sys/devices/platform/soc:firmware/get_throttled", "0x0");
  EXPECT_EQ(values_of(*make_throttle(at_root(root.path())))["throttle/firmware/throttled"], 0);
  root.write("/sys/devices/platform/soc:firmware/get_throttled", "zz");
  EXPECT_FALSE(make_throttle(at_root(root.path()))->available().ok());
}

TEST(Frequency, TellsHowManyRunBelowNominal) {
  const auto frequency = make_frequency(at_root(root_of("intel_laptop")));
  const auto values = values_of(*frequency);
  EXPECT_NEAR(values.at("frequency/mean"), 1.75e9, 1);
  EXPECT_EQ(values.at("frequency/lowest"), 1.4e9);
  EXPECT_EQ(values.at("frequency/highest"), 2.1e9);
  EXPECT_EQ(values.at("frequency/below_nominal"), 0.5);
  EXPECT_EQ(values.at("frequency/allowed"), 0.8);
  EXPECT_EQ(values.at("frequency/policy3"), 2.1e9);
  EXPECT_THAT(facts_of(*frequency),
              UnorderedElementsAre(Pair("frequency/driver", "intel_pstate"),
                                   Pair("frequency/governor", "powersave"),
                                   Pair("frequency/preference", "balance_performance"),
                                   Pair("frequency/no_turbo", "0")));
}

TEST(Frequency, TakesNominalFromCppcWhereTheDriverHasNoBase) {
  const auto frequency = make_frequency(at_root(root_of("amd_server")));
  EXPECT_EQ(values_of(*frequency)["frequency/below_nominal"], 0.125);
}

TEST(Frequency, SaysNothingOfNominalWhereNobodyTells) {
  const auto frequency = make_frequency(at_root(root_of("raspberry_pi")));
  const auto values = values_of(*frequency);
  EXPECT_THAT(values, Not(Contains(Key("frequency/below_nominal"))));
  EXPECT_EQ(values.at("frequency/allowed"), 1);
}

TEST(Frequency, BelievesNoClockThatNobodyBuilds) {
  EXPECT_FALSE(make_frequency(at_root(root_of("liars")))->available().ok());
}

TEST(Devfreq, TellsAGpusClockAndItsCap) {
  const auto devfreq = make_devfreq(at_root(root_of("jetson_orin")));
  EXPECT_THAT(values_of(*devfreq),
              UnorderedElementsAre(Pair("devfreq/17000000.gpu", 612e6),
                                   Pair("devfreq/17000000.gpu/allowed", 0.75)));
}

TEST(Devfreq, TakesNoBandwidthForAClock) {
  EXPECT_FALSE(make_devfreq(at_root(root_of("snapdragon")))->available().ok());
}

TEST(Jetson, KnowsItsPowerModeByName) {
  const ChangedRoot root("jetson_orin");
  const auto jetson = make_jetson(at_root(root.path()));
  EXPECT_THAT(
      values_of(*jetson),
      UnorderedElementsAre(Pair("jetson/mode", 2), Pair("jetson/gpu/load", 0.842),
                           Pair("jetson/over_current/oc1", 0), Pair("jetson/over_current/oc3", 5)));
  EXPECT_THAT(facts_of(*jetson),
              UnorderedElementsAre(Pair("jetson/mode", "15W"),
                                   Pair("jetson/model", "NVIDIA Jetson Orin Nano Developer Kit")));
  root.write("/var/lib/nvpmodel/status", "pmode:0007");
  EXPECT_EQ(facts_of(*jetson)["jetson/mode"], "mode 7");
}

TEST(Jetson, ReadsTheRailsOfOlderBoards) {
  const ChangedRoot root;
  const std::string device = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/";
  root.write(device + "rail_name_0", "POM_5V_IN");
  root.write(device + "in_power0_input", "2345");
  root.write("/sys/devices/gpu.0/load", "999");
  const auto jetson = make_jetson(at_root(root.path()));
  EXPECT_THAT(values_of(*jetson), UnorderedElementsAre(Pair("jetson/rail/POM_5V_IN", 2.345),
                                                       Pair("jetson/gpu/load", 0.999)));
}

TEST(Qualcomm, ReadsItsGpu) {
  const ChangedRoot root("snapdragon");
  const auto qualcomm = make_qualcomm(at_root(root.path()));
  EXPECT_THAT(values_of(*qualcomm), UnorderedElementsAre(Pair("qualcomm/gpu/load", 0.45),
                                                         Pair("qualcomm/gpu/clock", 587e6),
                                                         Pair("qualcomm/gpu/allowed", 587e6),
                                                         Pair("qualcomm/gpu/temperature", 51.2),
                                                         Pair("qualcomm/gpu/thermal_level", 1)));
  EXPECT_EQ(facts_of(*qualcomm)["qualcomm/soc"], "QRB5165");
  // Asleep: not 0 %, unknown.
  root.write("/sys/class/kgsl/kgsl-3d0/gpubusy", "0 0");
  EXPECT_THAT(values_of(*qualcomm), Not(Contains(Key("qualcomm/gpu/load"))));
}

TEST(Qualcomm, SeesItsClustersAsPolicies) {
  const auto frequency = make_frequency(at_root(root_of("snapdragon")));
  EXPECT_THAT(values_of(*frequency),
              IsSupersetOf({Pair("frequency/policy0", 1804.8e6),
                            Pair("frequency/policy4", 1209.6e6), Pair("frequency/allowed", 0.5)}));
}

}  // namespace
}  // namespace tachostat::probe

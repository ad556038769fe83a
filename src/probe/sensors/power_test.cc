// Energy and power: rapl, hwmon, battery.
#include "probe/sensors/sources.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Rapl, NamesZonesByWhereTheyLie) {
  const auto rapl = make_rapl(at_root(root_of("intel_laptop")));
  EXPECT_TRUE(rapl->available().ok());
  // The mmio zone is the same package again.
  EXPECT_THAT(
      values_of(*rapl),
      UnorderedElementsAre(Pair("rapl/package-0", 61000), Pair("rapl/package-0/core", 41000),
                           Pair("rapl/package-0/uncore", 2000), Pair("rapl/psys", 150000),
                           Pair("rapl/package-0/limit", 28)));
}

TEST(Rapl, ReadsBothSocketsOfAnAmdServer) {
  const auto rapl = make_rapl(at_root(root_of("amd_server")));
  EXPECT_THAT(values_of(*rapl),
              UnorderedElementsAre(Pair("rapl/package-0", 1000), Pair("rapl/package-0/core", 300),
                                   Pair("rapl/package-1", 2000), Pair("rapl/package-1/core", 300)));
}

TEST(Rapl, UndoesTheWrapOfItsCounter) {
  const ChangedRoot root("amd_server");
  const std::string energy = "/sys/class/powercap/intel-rapl:0/energy_uj";
  const auto rapl = make_rapl(at_root(root.path()));
  root.write(energy, "65530000000");
  EXPECT_NEAR(values_of(*rapl)["rapl/package-0"], 65530, 1e-6);
  root.write(energy, "7389013");  // 2.610987 J to the range, and 7.389013 J more
  EXPECT_NEAR(values_of(*rapl)["rapl/package-0"], 65540, 1e-6);
}

TEST(Rapl, LeavesOutACounterAboveItsRange) {
  const auto rapl = make_rapl(at_root(root_of("liars")));
  EXPECT_THAT(reason(rapl->available()), HasSubstr("900 is above its own range of 100"));
  EXPECT_TRUE(values_of(*rapl).empty());
  EXPECT_THAT(rapl->left_out(), ElementsAre("rapl/package-0: 900 is above its own range of 100"));
}

TEST(Rapl, LeavesOutAZoneThatVanishes) {
  const ChangedRoot root("amd_server");
  const auto rapl = make_rapl(at_root(root.path()));
  values_of(*rapl);
  root.remove("/sys/class/powercap/intel-rapl:1/energy_uj");
  EXPECT_THAT(values_of(*rapl), Not(Contains(Key("rapl/package-1"))));
  root.remove("/sys/class/powercap");
  std::vector<Reading> readings;
  EXPECT_THAT(reason(rapl->read(readings)), HasSubstr("no /sys/class/powercap"));
  EXPECT_TRUE(readings.empty());
}

TEST(Rapl, SaysWhatToDoWhereThereIsNone) {
  const ChangedRoot root;
  const auto rapl = make_rapl(at_root(root.path()));
  EXPECT_THAT(reason(rapl->available()), HasSubstr("intel_rapl_msr"));
  root.write("/sys/class/powercap/intel-rapl/enabled", "1");
  EXPECT_THAT(reason(rapl->available()), HasSubstr("no zones"));
}

TEST(Hwmon, TellsChipsOfAKindApartByTheirDevices) {
  const auto hwmon = make_hwmon(at_root(root_of("intel_laptop")));
  EXPECT_THAT(values_of(*hwmon),
              UnorderedElementsAre(
                  Pair("hwmon/acpitz/temp1", 52), Pair("hwmon/nvme:nvme0/Composite", 38.85),
                  Pair("hwmon/nvme:nvme1/Composite", 41.85),
                  Pair("hwmon/coretemp/Package id 0", 71), Pair("hwmon/coretemp/Core 0", 71),
                  Pair("hwmon/coretemp/Core 4", 64), Pair("hwmon/thinkpad/CPU", 71)));
}

TEST(Hwmon, ReadsEnergyAndPowerOfAServer) {
  const auto hwmon = make_hwmon(at_root(root_of("amd_server")));
  EXPECT_THAT(values_of(*hwmon), IsSupersetOf({Pair("hwmon/amd_energy/Ecore000", 2.5),
                                               Pair("hwmon/amd_energy/Esocket0", 900.),
                                               Pair("hwmon/power_meter/power1", 412.),
                                               Pair("hwmon/k10temp:0000:00:18.3/Tctl", 58.125)}));
}

TEST(Hwmon, MultipliesVoltageAndCurrentOfAJetsonsRails) {
  const auto hwmon = make_hwmon(at_root(root_of("jetson_orin")));
  const auto values = values_of(*hwmon);
  ASSERT_EQ(values.size(), 3U);
  EXPECT_NEAR(values.at("hwmon/ina3221/VDD_IN"), 7.44, 1e-9);
  EXPECT_NEAR(values.at("hwmon/ina3221/VDD_CPU_GPU_CV"), 2.48, 1e-9);
  EXPECT_NEAR(values.at("hwmon/ina3221/VDD_SOC"), 1.488, 1e-9);
}

TEST(Hwmon, LeavesOutWhatCannotBeTrue) {
  const auto hwmon = make_hwmon(at_root(root_of("liars")));
  EXPECT_TRUE(hwmon->available().ok());
  EXPECT_THAT(values_of(*hwmon), UnorderedElementsAre(Pair("hwmon/nvme/honest", 40)));
  EXPECT_THAT(hwmon->left_out(),
              UnorderedElementsAre("hwmon/nvme/Composite: 65261.85 Cel is not possible",
                                   "hwmon/nvme/temp4: -128 Cel is not possible",
                                   "hwmon/power_meter/power1: 4294967295 W is not possible",
                                   "hwmon/power_meter/power2: -5 W is not possible"));
}

TEST(Hwmon, GivesEqualLabelsOfAChipNumbers) {
  const ChangedRoot root;
  root.write("/sys/class/hwmon/hwmon0/name", "x");
  for (const std::string n : {"1", "2"}) {
    root.write("/sys/class/hwmon/hwmon0/temp" + n + "_label", "same");
    root.write("/sys/class/hwmon/hwmon0/temp" + n + "_input", n + "0000");
  }
  const auto hwmon = make_hwmon(at_root(root.path()));
  EXPECT_THAT(values_of(*hwmon),
              UnorderedElementsAre(Pair("hwmon/x/same", 10), Pair("hwmon/x/same#2", 20)));
}

TEST(Battery, TellsItsPowerWhileItFeedsTheMachine) {
  const ChangedRoot root("intel_laptop");
  const auto battery = make_battery(at_root(root.path()));
  // The mouse's battery is not the machine's.
  EXPECT_THAT(values_of(*battery),
              UnorderedElementsAre(Pair("battery/BAT0", 18.5), Pair("battery/BAT0/charge", 0.87),
                                   Pair("battery/AC/online", 0)));
  EXPECT_THAT(facts_of(*battery), UnorderedElementsAre(Pair("battery/BAT0/status", "Discharging")));
  root.write("/sys/class/power_supply/BAT0/status", "Charging");
  EXPECT_THAT(values_of(*battery), Not(Contains(Key("battery/BAT0"))));
}

TEST(Battery, TakesNegativeCurrentsForTheirSize) {
  const auto battery = make_battery(at_root(root_of("snapdragon")));
  const auto values = values_of(*battery);
  EXPECT_NEAR(values.at("battery/battery"), 5.85, 1e-9);
  EXPECT_NEAR(values.at("battery/battery/temperature"), 31.2, 1e-9);
  EXPECT_NEAR(values.at("battery/usb"), 2.5, 1e-9);
}

TEST(Battery, BelievesNoChargeAboveFull) {
  const auto battery = make_battery(at_root(root_of("liars")));
  EXPECT_FALSE(battery->available().ok());
}

}  // namespace
}  // namespace tachostat::probe

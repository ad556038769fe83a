// All sensors together, on every machine.
#include <set>

#include "probe/sensors/checks.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

std::set<std::string> available_on(const std::string& root) {
  std::set<std::string> names;
  for (const auto& sensor : make_sensors(at_root(root))) {
    if (sensor->available().ok()) names.emplace(sensor->name());
  }
  return names;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Sensors, AreThoseThatTheMachineHas) {
  EXPECT_THAT(available_on(root_of("intel_laptop")),
              ElementsAre("battery", "cgroup", "frequency", "hwmon", "numa", "pressure", "rapl",
                          "scheduler", "thermal", "throttle"));
  EXPECT_THAT(available_on(root_of("amd_server")),
              ElementsAre("cgroup", "frequency", "hwmon", "numa", "pressure", "rapl", "scheduler"));
  EXPECT_THAT(
      available_on(root_of("jetson_orin")),
      ElementsAre("cgroup", "devfreq", "frequency", "hwmon", "jetson", "scheduler", "thermal"));
  EXPECT_THAT(available_on(root_of("raspberry_pi")),
              ElementsAre("cgroup", "frequency", "hwmon", "scheduler", "thermal", "throttle"));
  EXPECT_THAT(available_on(root_of("container_v1")), ElementsAre("cgroup", "scheduler"));
  EXPECT_THAT(available_on(root_of("container_v2")),
              ElementsAre("cgroup", "pressure", "scheduler"));
  EXPECT_THAT(available_on(root_of("snapdragon")), ElementsAre("battery", "frequency", "qualcomm"));
  EXPECT_THAT(available_on(root_of("empty")), IsEmpty());
}

TEST(Sensors, AlwaysSayWhyTheyAreNotThere) {
  const ChangedRoot nowhere;
  for (const std::string& root : {root_of("empty"), nowhere.path(), nowhere.path() + "/none"}) {
    for (const auto& sensor : make_sensors(at_root(root))) {
      const absl::Status status = sensor->available();
      EXPECT_FALSE(status.ok()) << sensor->name();
      EXPECT_GT(status.message().size(), 8U) << sensor->name();
      std::vector<Reading> readings;
      EXPECT_FALSE(sensor->read(readings).ok()) << sensor->name();
      EXPECT_THAT(readings, IsEmpty());
    }
  }
}

TEST(Sensors, NeverSayWhatCannotBeTrue) {
  for (const char* machine : {"intel_laptop", "amd_server", "jetson_orin", "raspberry_pi",
                              "container_v1", "container_v2", "snapdragon", "liars"}) {
    for (const auto& sensor : make_sensors(at_root(root_of(machine)))) {
      std::vector<Reading> readings;
      (void)sensor->read(readings);
      for (const Reading& reading : readings) {
        EXPECT_TRUE(plausible(reading.unit, reading.value))
            << machine << ' ' << reading.name << ' ' << reading.value;
        EXPECT_TRUE(reading.name.starts_with(std::string(sensor->name()) + "/")) << reading.name;
      }
    }
  }
}

TEST(Sensors, HaveReadingsWhereTheyAreAvailable) {
  // This machine, whatever it is.
  for (const auto& sensor : make_sensors({})) {
    if (!sensor->available().ok()) continue;
    std::vector<Reading> readings;
    EXPECT_TRUE(sensor->read(readings).ok()) << sensor->name();
    EXPECT_FALSE(readings.empty()) << sensor->name();
  }
}

}  // namespace
}  // namespace tachostat::probe

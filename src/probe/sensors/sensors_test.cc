// All sensors together, on every machine.
#include <cmath>
#include <filesystem>
#include <set>

#include "probe/sensors/checks.h"
#include "probe/sensors/test_roots.h"
#include "probe/sensors/topology.h"

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
              ElementsAre("battery", "cgroup", "frequency", "hwmon", "numa", "pressure",
                          "processors", "rapl", "scheduler", "thermal", "throttle"));
  EXPECT_THAT(available_on(root_of("amd_server")),
              ElementsAre("cgroup", "frequency", "hwmon", "numa", "pressure", "rapl", "scheduler"));
  EXPECT_THAT(
      available_on(root_of("jetson_orin")),
      ElementsAre("cgroup", "devfreq", "frequency", "hwmon", "jetson", "scheduler", "thermal"));
  EXPECT_THAT(available_on(root_of("raspberry_pi")),
              ElementsAre("cgroup", "frequency", "hwmon", "scheduler", "thermal", "throttle"));
  EXPECT_THAT(available_on(root_of("container_v1")), ElementsAre("cgroup", "scheduler"));
  EXPECT_THAT(available_on(root_of("container_v2")),
              ElementsAre("cgroup", "pressure", "processors", "scheduler"));
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

// All files of a machine hold something else, as if every driver had gone mad.
TEST(Sensors, SurviveAnythingInTheirFiles) {
  const std::string long_line(8192, '9');
  for (const char* machine : {"jetson_orin", "container_v1", "container_v2"}) {
    const ChangedRoot root(machine);
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root.path())) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path().string().substr(root.path().size()));
      }
    }
    const auto sensors = make_sensors(at_root(root.path()));
    for (const std::string_view content :
         {std::string_view(), std::string_view("-9223372036854775808"),
          std::string_view("18446744073709551615"), std::string_view("\xff\0 : - ( ) \n\n:::", 16),
          std::string_view(long_line), std::string_view("0::/../..\n1 2 3 / / - cgroup2 x x")}) {
      for (const std::string& file : files) root.write(file, content);
      for (const auto& sensor : sensors) {
        (void)sensor->available();
        std::vector<Reading> readings;
        (void)sensor->read(readings);
        (void)sensor->facts();
        for (const Reading& reading : readings) {
          EXPECT_TRUE(std::isfinite(reading.value) && reading.value >= 0) << reading.name;
        }
      }
      (void)to_json(read_topology(at_root(root.path())));
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

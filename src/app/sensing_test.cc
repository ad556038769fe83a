#include "app/sensing.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tachostat::app {
namespace {

// A machine with one thermal zone.
std::string root_with_a_thermal_zone() {
  const std::string root = testing::TempDir() + "/sensing_root";
  const std::string zone = root + "/sys/class/thermal/thermal_zone0";
  std::filesystem::create_directories(zone);
  std::ofstream(zone + "/type") << "cpu-thermal\n";
  std::ofstream(zone + "/temp") << "45500\n";
  return root;
}

TEST(Sensing, HasASnapshotAtOnceAndPutsTracksIntoTraces) {
  base::ManualClock clock;
  const Sensing sensing(clock, {.root = root_with_a_thermal_zone()});
  const auto snapshot = sensing.snapshot();
  bool found = false;
  for (const probe::SensorStatus& sensor : snapshot->sensors) {
    for (const auto& value : sensor.values) {
      if (value.reading.name == "thermal/cpu-thermal") {
        EXPECT_DOUBLE_EQ(value.reading.value, 45.5);
        found = true;
      }
    }
  }
  EXPECT_TRUE(found);

  const auto now = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  trace::Trace trace;
  sensing.add_tracks(trace);
  EXPECT_TRUE(trace.counters.empty());  // no spans, no stretch
  trace.names = {"x"};
  trace.spans = {{.begin_ns = now + 1, .end_ns = now + 10}};
  sensing.add_tracks(trace);
  ASSERT_EQ(trace.counters.size(), 1u);
  EXPECT_EQ(trace.counters[0].name, "thermal/cpu-thermal");
  ASSERT_EQ(trace.counters[0].points.size(), 1u);
  EXPECT_EQ(trace.counters[0].points[0].first, now);

  trace::Trace later;
  later.names = {"x"};
  later.spans = {{.begin_ns = now + 10'000'000'000, .end_ns = now + 10'000'000'100}};
  sensing.add_tracks(later);
  EXPECT_TRUE(later.counters.empty());
}

}  // namespace
}  // namespace tachostat::app

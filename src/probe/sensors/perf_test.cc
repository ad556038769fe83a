#include "probe/counters/fake_perf.h"
#include "probe/sensors/sources.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr FakePerf::Event kCycles{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};
constexpr FakePerf::Event kFaults{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS};
constexpr FakePerf::Event kSwitches{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES};

std::unique_ptr<Sensor> make(FakePerf& perf, std::string_view machine = "intel_laptop") {
  SensorOptions options = at_root(root_of(machine));
  options.perf = &perf;
  return make_perf(options);
}

TEST(PerfSensor, CountsWhatThereIsAndSaysWhyNotTheRest) {
  FakePerf perf;
  perf.counts = {{kFaults, 12}, {kSwitches, 3}};
  perf.time = 100;
  const auto sensor = make(perf);
  EXPECT_TRUE(sensor->available().ok());
  EXPECT_THAT(values_of(*sensor),
              ElementsAre(Pair("perf/context_switches", 3), Pair("perf/page_faults", 12)));
  EXPECT_THAT(facts_of(*sensor)["perf/refused"], HasSubstr("cycles, instructions"));
  for (const perf_event_attr& event : perf.opened) EXPECT_TRUE(event.inherit);
}

TEST(PerfSensor, CountsInTheKernelOnlyWhatHappensNowhereElse) {
  FakePerf perf;
  perf.counts = {{kFaults, 0}, {kSwitches, 0}, {kCycles, 0}};
  const auto sensor = make(perf);
  for (const perf_event_attr& event : perf.opened) {
    EXPECT_EQ(event.exclude_kernel, event.config == kSwitches.second && event.type == 1 ? 0U : 1U);
  }
}

TEST(PerfSensor, ScalesTheTurnsOfEachStretch) {
  FakePerf perf;
  perf.counts = {{kCycles, 1000}};
  perf.times[kCycles] = {100, 50};
  const auto sensor = make(perf);
  EXPECT_EQ(values_of(*sensor)["perf/cycles"], 2000);
  perf.counts[kCycles] = 1300;
  perf.times[kCycles] = {200, 150};  // it had no turn to wait for
  EXPECT_EQ(values_of(*sensor)["perf/cycles"], 2300);
}

TEST(PerfSensor, SaysNothingOfACounterThatNeverHadATurn) {
  FakePerf perf;
  perf.counts = {{kCycles, 0}, {kFaults, 1}};
  perf.time = 100;
  perf.times[kCycles] = {100, 0};
  EXPECT_THAT(values_of(*make(perf)), Not(Contains(Key("perf/cycles"))));
}

TEST(PerfSensor, LeavesOutACounterThatGoesBack) {
  FakePerf perf;
  perf.counts = {{kFaults, 12}};
  perf.time = 100;
  const auto sensor = make(perf);
  values_of(*sensor);
  perf.counts[kFaults] = 5;
  std::vector<Reading> readings;
  EXPECT_FALSE(sensor->read(readings).ok());
  EXPECT_THAT(sensor->left_out(), ElementsAre("perf/page_faults: went back from 12 to 5"));
  perf.counts[kFaults] = 7;
  perf.time = 200;
  EXPECT_EQ(values_of(*sensor)["perf/page_faults"], 14);
}

TEST(PerfSensor, SaysHowToGetTheRight) {
  FakePerf perf;
  perf.error = EACCES;
  const auto sensor = make(perf);
  EXPECT_THAT(reason(sensor->available()), HasSubstr("perf_event_paranoid is 3: set it to 1"));
}

TEST(PerfSensor, ClosesWhatItOpened) {
  FakePerf perf;
  perf.counts = {{kFaults, 1}, {kCycles, 1}};
  { const auto sensor = make(perf); }
  EXPECT_THAT(perf.open_files, IsEmpty());
}

}  // namespace
}  // namespace tachostat::probe

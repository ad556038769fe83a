#include "app/readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/diagnose.h"

namespace tachostat::app {
namespace {

using testing::Contains;
using testing::DoubleNear;
using testing::Key;
using testing::Not;

// A machine whose sensor says what the test wants.
class Machine {
 public:
  void level(const std::string& name, const std::string& unit, double value) {
    values_[name] = {.reading = {.name = name, .unit = unit, .value = value},
                     .rate = {},
                     .rate_unit = {},
                     .doubt = {}};
  }
  void rate(const std::string& name, const std::string& unit, double rate) {
    values_[name] = {
        .reading = {.name = name, .unit = "s", .kind = probe::Reading::Kind::kCounter, .value = 1},
        .rate = rate,
        .rate_unit = unit,
        .doubt = {}};
  }
  void doubt(const std::string& name) { values_[name].doubt = "has not moved for 62 s"; }

  probe::SensorSnapshot after(base::Duration time) {
    clock_.advance(time);
    probe::SensorSnapshot snapshot{.at = clock_.now(), .polls = ++polls_, .sensors = {}};
    probe::SensorStatus sensor;
    for (const auto& [name, value] : values_) sensor.values.push_back(value);
    snapshot.sensors.push_back(std::move(sensor));
    return snapshot;
  }

 private:
  base::ManualClock clock_;
  std::uint64_t polls_ = 0;
  std::map<std::string, probe::SensorStatus::Value> values_;
};

constexpr base::Duration kSecond = std::chrono::seconds(1);

Readings readings_of(const SensorStretch& stretch, int threads = 1) {
  Readings readings;
  stretch.fill(threads, readings);
  return readings;
}

TEST(SensorStretch, GivesMeansOfLevelsAndRatesByTime) {
  Machine machine;
  SensorStretch stretch;
  machine.level("thermal/cpu", "Cel", 50);
  machine.rate("rapl/package-0", "W", 1000);
  stretch.look(machine.after(kSecond), 0);  // no rate of the time before
  machine.level("thermal/cpu", "Cel", 70);
  machine.rate("rapl/package-0", "W", 10);
  stretch.look(machine.after(kSecond), 0);
  machine.rate("rapl/package-0", "W", 20);
  const auto last = machine.after(3 * kSecond);
  stretch.look(last, 0);
  stretch.look(last, 0);  // nothing new

  const auto readings = readings_of(stretch);
  const profile::Reading& heat = readings.at("thermal/cpu");
  EXPECT_NEAR(heat.mean, 190.0 / 3, 1e-9);
  EXPECT_EQ(heat.low, 50);
  EXPECT_EQ(heat.high, 70);
  EXPECT_EQ(heat.n, 3U);
  EXPECT_EQ(heat.unit, "Cel");
  const profile::Reading& power = readings.at("rapl/package-0");
  EXPECT_NEAR(power.mean, (10 + 3 * 20) / 4.0, 1e-9);
  EXPECT_EQ(power.low, 10);
  EXPECT_EQ(power.n, 2U);
  EXPECT_EQ(power.unit, "W");
}

TEST(SensorStretch, LeavesOutWhatIsDoubtedAndRatesOfAMoment) {
  Machine machine;
  SensorStretch stretch;
  machine.level("battery/BAT0", "W", 5);
  machine.doubt("battery/BAT0");
  machine.level("thermal/cpu", "Cel", 50);
  machine.rate("processors/idle", "1", 1);
  stretch.look(machine.after(kSecond), 0);
  stretch.look(machine.after(std::chrono::milliseconds(50)), 0);
  const auto readings = readings_of(stretch);
  EXPECT_THAT(readings, Not(Contains(Key("battery/BAT0"))));
  EXPECT_THAT(readings, Not(Contains(Key("processors/idle"))));
  EXPECT_THAT(readings, Contains(Key("thermal/cpu")));
}

TEST(SensorStretch, DerivesSharesOfTheProcessors) {
  Machine machine;
  SensorStretch stretch;
  machine.rate("processors/idle", "1", 1);
  machine.rate("processors/stolen", "1", 0.5);
  machine.rate("processors/busy", "1", 2.5);
  machine.rate("processors/own", "1", 1.5);
  machine.rate("scheduler/run_time", "1", 1.5);
  machine.rate("scheduler/run_delay", "1", 0.5);
  stretch.look(machine.after(kSecond), 0);
  stretch.look(machine.after(kSecond), 0);
  const auto readings = readings_of(stretch);
  EXPECT_NEAR(readings.at("processors/idle_share").mean, 0.25, 1e-9);
  EXPECT_NEAR(readings.at("processors/stolen_share").mean, 0.125, 1e-9);
  EXPECT_NEAR(readings.at("processors/others_share").mean, 0.25, 1e-9);
  EXPECT_NEAR(readings.at("process/run_delay_share").mean, 0.25, 1e-9);
  EXPECT_EQ(readings.at("processors/idle_share").unit, "1");
}

TEST(SensorStretch, CountsFaultsPerRequestOfTheStretch) {
  Machine machine;
  SensorStretch stretch;
  machine.rate("scheduler/minor_faults", "1/s", 300);
  machine.rate("scheduler/major_faults", "1/s", 0);
  stretch.look(machine.after(kSecond), 1000);
  EXPECT_THAT(readings_of(stretch), Not(Contains(Key("process/minor_faults_per_request"))));
  stretch.look(machine.after(2 * kSecond), 1100);
  const auto readings = readings_of(stretch);
  EXPECT_NEAR(readings.at("process/minor_faults_per_request").mean, 6, 1e-9);
  EXPECT_EQ(readings.at("process/minor_faults_per_request").n, 100U);
  EXPECT_EQ(readings.at("process/major_faults_per_request").mean, 0);
}

TEST(SensorStretch, MakesAShareOfTimeOfWhatProcessorsWereHeldBack) {
  Machine machine;
  SensorStretch stretch;
  machine.level("processors/allowed", "1", 4);
  machine.rate("cgroup/cpu/throttled", "1", 1.2);
  stretch.look(machine.after(kSecond), 0);
  stretch.look(machine.after(kSecond), 0);
  EXPECT_NEAR(readings_of(stretch, 2).at("cgroup/cpu/throttled").mean, 0.6, 1e-9);
  EXPECT_NEAR(readings_of(stretch, 16).at("cgroup/cpu/throttled").mean, 0.3, 1e-9);
  EXPECT_EQ(readings_of(stretch, 1).at("cgroup/cpu/throttled").mean, 1);
}

TEST(SensorStretch, GoesOnInTheNextAndAddsUp) {
  Machine machine;
  SensorStretch first;
  machine.rate("cgroup/cpu/used", "1", 1);
  first.look(machine.after(kSecond), 10);
  first.look(machine.after(kSecond), 20);
  SensorStretch second = first.next();
  EXPECT_TRUE(readings_of(second).empty());
  machine.rate("cgroup/cpu/used", "1", 3);
  second.look(machine.after(kSecond), 50);
  EXPECT_NEAR(second.seconds(), 1, 1e-9);
  EXPECT_NEAR(readings_of(second).at("cgroup/cpu/used").mean, 3, 1e-9);
  first.add(second);
  EXPECT_THAT(readings_of(first).at("cgroup/cpu/used").mean, DoubleNear(2, 1e-9));
  EXPECT_EQ(readings_of(first).at("cgroup/cpu/used").high, 3);
}

TEST(SensorStretch, TheCgroupsLimitIsTheBudgetElseTheMachinesMemory) {
  Machine machine;
  machine.level("numa/node0/total", "By", 16e9);
  machine.level("numa/node1/total", "By", 8e9);
  SensorStretch whole;
  whole.look(machine.after(kSecond), 0);
  EXPECT_EQ(readings_of(whole).at("memory/budget").mean, 24e9);
  machine.level("cgroup/memory/limit", "By", 1e9);
  SensorStretch limited;
  limited.look(machine.after(kSecond), 0);
  EXPECT_EQ(readings_of(limited).at("memory/budget").mean, 1e9);
  EXPECT_THAT(readings_of(SensorStretch()), Not(Contains(Key("memory/budget"))));

  profile::Profile profile;
  limited.fill(1, profile.readings);
  profile.readings["memory/held"] = reading_of(2e9, "By");
  const auto findings = diagnose::diagnose(profile, {});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "over-memory-budget");
}

}  // namespace
}  // namespace tachostat::app

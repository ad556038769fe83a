#include "probe/sensors/poller.h"

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/status.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Says what the test tells it to.
struct Script {
  absl::Status available;
  absl::Status read;
  std::vector<Reading> readings;
  int asked = 0;
  int asked_facts = 0;
};

class ScriptedSensor final : public Sensor {
 public:
  explicit ScriptedSensor(Script& script) : script_(script) {}
  std::string_view name() const override { return "scripted"; }
  absl::Status available() const override {
    ++script_.asked;
    return script_.available;
  }
  absl::Status read(std::vector<Reading>& out) override {
    if (script_.read.ok()) out = script_.readings;
    return script_.read;
  }
  std::vector<Fact> facts() const override {
    ++script_.asked_facts;
    return {{"scripted/model", "X\xff"}};
  }

 private:
  Script& script_;
};

class SensorPollerTest : public testing::Test {
 protected:
  SensorPoller& poller(SensorPollerOptions options = {}) {
    std::vector<std::unique_ptr<Sensor>> sensors;
    sensors.push_back(std::make_unique<ScriptedSensor>(script_));
    poller_ = std::make_unique<SensorPoller>(clock_, std::move(sensors), options);
    return *poller_;
  }
  void say_energy(double joules) {
    script_.readings = {
        {.name = "scripted/energy", .unit = "J", .kind = Reading::Kind::kCounter, .value = joules}};
  }
  void say_level(double watts) {
    script_.readings = {{.name = "scripted/rail", .unit = "W", .value = watts}};
  }
  const SensorStatus::Value& value() {
    kept_ = poller_->snapshot();
    return kept_->sensors[0].values[0];
  }
  bool next(base::Duration step = seconds(1)) {
    clock_.advance(step);
    return poller_->poll();
  }

  base::ManualClock clock_;
  Script script_;
  std::unique_ptr<SensorPoller> poller_;
  std::shared_ptr<const SensorSnapshot> kept_;
};

TEST_F(SensorPollerTest, WaitsForItsPeriod) {
  say_level(5);
  SensorPoller& poller = this->poller();
  EXPECT_EQ(poller.snapshot()->polls, 0U);
  EXPECT_TRUE(poller.poll());
  EXPECT_FALSE(poller.poll());
  EXPECT_EQ(poller.due(), clock_.now() + seconds(1));
  EXPECT_FALSE(next(milliseconds(999)));
  EXPECT_TRUE(next(milliseconds(1)));
  // After a pause it does not catch up.
  EXPECT_TRUE(next(seconds(100)));
  EXPECT_FALSE(next(milliseconds(500)));
  EXPECT_EQ(poller.snapshot()->polls, 3U);
}

TEST_F(SensorPollerTest, MakesWattsOfJoules) {
  say_energy(1000);
  poller().poll();
  EXPECT_EQ(value().rate, std::nullopt);
  say_energy(1030);
  next(seconds(2));
  EXPECT_EQ(value().rate, 15);
  EXPECT_EQ(value().rate_unit, "W");
  const auto tracks = poller_->tracks();
  ASSERT_THAT(tracks, SizeIs(1));
  EXPECT_EQ(tracks[0].name, "scripted/energy");
  EXPECT_EQ(tracks[0].unit, "W");
  const std::uint64_t time = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  EXPECT_THAT(tracks[0].points, ElementsAre(std::pair(time, 15.0)));
}

TEST_F(SensorPollerTest, MakesSharesOfSeconds) {
  script_.readings = {
      {.name = "scripted/stall", .unit = "s", .kind = Reading::Kind::kCounter, .value = 1},
      {.name = "scripted/faults", .unit = "1", .kind = Reading::Kind::kCounter, .value = 10}};
  poller().poll();
  script_.readings[0].value = 1.25;
  script_.readings[1].value = 10;
  next();
  kept_ = poller_->snapshot();
  EXPECT_EQ(kept_->sensors[0].values[0].rate, 0.25);
  EXPECT_EQ(kept_->sensors[0].values[0].rate_unit, "1");
  // No fault at all is a rate of zero, unlike no joule at all.
  EXPECT_EQ(kept_->sensors[0].values[1].rate, 0);
  EXPECT_EQ(kept_->sensors[0].values[1].rate_unit, "1/s");
}

TEST_F(SensorPollerTest, TakesAnEnergyCounterThatStandsStillForNoPower) {
  say_energy(1000);
  poller().poll();
  for (int i = 0; i < 59; ++i) next();
  EXPECT_EQ(value().rate, std::nullopt);
  EXPECT_EQ(value().doubt, "");
  next();
  EXPECT_EQ(value().doubt, "has not moved for 60 s");
  EXPECT_THAT(poller_->tracks(), IsEmpty());
  say_energy(1005);
  next();
  EXPECT_EQ(value().doubt, "");
}

TEST_F(SensorPollerTest, DoubtsAPowerThatNeverChanges) {
  say_level(7.44);
  poller().poll();
  for (int i = 0; i < 60; ++i) next();
  EXPECT_EQ(value().doubt, "has not moved for 60 s");
}

TEST_F(SensorPollerTest, LeavesOutMorePowerThanThereIs) {
  say_energy(0);
  poller().poll();
  say_energy(262143);  // a glitch that was taken for a wrap
  next();
  EXPECT_EQ(value().rate, std::nullopt);
  EXPECT_THAT(kept_->sensors[0].left_out, ElementsAre("scripted/energy: 262143 W is not possible"));
  say_energy(262163);
  next();
  EXPECT_EQ(value().rate, 20);
}

TEST_F(SensorPollerTest, KeepsTheReasonOfASensorThatIsNotThereAndAsksAgain) {
  script_.available = base::unavailable("no such thing");
  poller().poll();
  EXPECT_EQ(reason(poller_->snapshot()->sensors[0].available), "no such thing");
  for (int i = 0; i < 29; ++i) next();
  EXPECT_EQ(script_.asked, 1);
  script_.available = absl::OkStatus();
  say_level(1);
  next();
  EXPECT_EQ(script_.asked, 2);
  EXPECT_TRUE(poller_->snapshot()->sensors[0].available.ok());
  EXPECT_THAT(poller_->tracks(), SizeIs(1));
}

TEST_F(SensorPollerTest, AsksForFactsNowAndThen) {
  say_level(1);
  poller().poll();
  next();
  EXPECT_THAT(poller_->snapshot()->sensors[0].facts, SizeIs(1));
  EXPECT_EQ(script_.asked_facts, 1);
  for (int i = 0; i < 30; ++i) next();
  EXPECT_EQ(script_.asked_facts, 2);
  // What was there once is not asked whether it is.
  EXPECT_EQ(script_.asked, 1);
}

TEST_F(SensorPollerTest, ForgetsTheValuesOfASensorThatFellSilent) {
  say_energy(1000);
  poller().poll();
  script_.read = base::unavailable("gone");
  next();
  kept_ = poller_->snapshot();
  EXPECT_THAT(kept_->sensors[0].values, IsEmpty());
  EXPECT_EQ(reason(kept_->sensors[0].last_read), "gone");
  script_.read = absl::OkStatus();
  say_energy(9000);
  next();
  // Nobody knows over what time these joules were spent.
  EXPECT_EQ(value().rate, std::nullopt);
}

TEST_F(SensorPollerTest, KeepsABoundedHistory) {
  SensorPollerOptions options;
  options.history = 10;
  poller(options);
  for (int i = 0; i < 55; ++i) {
    say_level(i);
    next();
  }
  const auto tracks = poller_->tracks();
  ASSERT_THAT(tracks, SizeIs(1));
  ASSERT_THAT(tracks[0].points, SizeIs(10));
  EXPECT_EQ(tracks[0].points.front().second, 45);
  EXPECT_EQ(tracks[0].points.back().second, 54);
  EXPECT_THAT(poller_->tracks(clock_.now() - seconds(2))[0].points, SizeIs(3));
  EXPECT_THAT(poller_->tracks(clock_.now() + seconds(1)), IsEmpty());
}

TEST_F(SensorPollerTest, KeepsABoundedNumberOfTracks) {
  SensorPollerOptions options;
  options.tracks = 3;
  poller(options);
  for (int i = 0; i < 20; ++i) {
    script_.readings = {{.name = fmt::format("scripted/{}", i), .unit = "W", .value = 1}};
    next();
  }
  EXPECT_THAT(poller_->tracks(), SizeIs(3));
}

TEST_F(SensorPollerTest, IsWrittenAsJson) {
  say_energy(1000);
  poller().poll();
  say_energy(1015);
  next();
  const auto document = nlohmann::json::parse(to_json(*poller_->snapshot()));
  EXPECT_EQ(document["polls"], 2);
  const auto& sensor = document["sensors"][0];
  EXPECT_EQ(sensor["available"], true);
  EXPECT_EQ(sensor["values"][0]["rate"], 15.0);
  EXPECT_EQ(sensor["values"][0]["kind"], "counter");
  EXPECT_EQ(sensor["facts"]["scripted/model"], "X\xef\xbf\xbd");
}

TEST_F(SensorPollerTest, IsWrittenForPeople) {
  script_.available = base::unavailable("no such thing");
  poller().poll();
  EXPECT_THAT(to_text(*poller_->snapshot()), HasSubstr("scripted    unavailable: no such thing\n"));
  EXPECT_EQ(nlohmann::json::parse(to_json(*poller_->snapshot()))["sensors"][0]["reason"],
            "no such thing");
}

TEST_F(SensorPollerTest, MayBeReadWhileItPolls) {
  say_energy(0);
  SensorPollerOptions options;
  options.history = 10;
  SensorPoller& poller = this->poller(options);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      EXPECT_LE(poller.snapshot()->sensors.size(), 1U);
      EXPECT_LE(poller.tracks().size(), 1U);
    }
  });
  for (int i = 1; i < 500; ++i) {
    say_energy(i);
    next();
  }
  done = true;
  reader.join();
  EXPECT_EQ(find(*poller.snapshot(), "scripted/energy")->rate, 1);
  EXPECT_EQ(find(*poller.snapshot(), "scripted/none"), nullptr);
}

TEST(SensorPollerOnAMachine, PollsALaptop) {
  const ChangedRoot root("intel_laptop");
  base::ManualClock clock;
  SensorPoller poller(clock, make_sensors(at_root(root.path())), {});
  poller.poll();
  root.write("/sys/class/powercap/intel-rapl:0/energy_uj", "61028000000");
  clock.advance(seconds(1));
  poller.poll();
  for (const trace::CounterTrack& track : poller.tracks()) {
    if (track.name == "rapl/package-0") {
      EXPECT_THAT(track.points, SizeIs(1));
    }
  }
  const auto snapshot = poller.snapshot();
  EXPECT_NEAR(find(*snapshot, "rapl/package-0")->rate.value_or(0), 28, 1e-9);
  EXPECT_THAT(to_text(*poller.snapshot()), HasSubstr("rapl/package-0"));
}

}  // namespace
}  // namespace tachostat::probe

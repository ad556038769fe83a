#include "probe/counters/counter_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "probe/counters/fake_perf.h"

namespace tachostat::probe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr FakePerf::Event kClock{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK};
constexpr FakePerf::Event kCycles{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};
constexpr FakePerf::Event kInstructions{PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS};
constexpr FakePerf::Event kMisses{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES};

CounterEvent event(std::string name, FakePerf::Event of, double scale = 1) {
  return {
      .name = std::move(name), .unit = "1", .scale = scale, .type = of.first, .config = of.second};
}

std::vector<CounterEvent> all() {
  return {event("cycles", kCycles), event("task_clock", kClock, 1e-9),
          event("instructions", kInstructions, 8), event("cache_misses", kMisses)};
}

TEST(CounterGroup, ReadsSoftwareAndHardwareApart) {
  FakePerf perf;
  perf.counts = {{kClock, 0}, {kCycles, 0}, {kInstructions, 0}, {kMisses, 0}};
  const auto group = CounterGroup::Create(perf, all(), {});
  ASSERT_TRUE(group.ok());
  EXPECT_EQ((*group)->groups(), 2U);
  CounterSample begin;
  ASSERT_TRUE((*group)->read(begin));
  perf.counts = {{kClock, 5000}, {kCycles, 700}, {kInstructions, 100}, {kMisses, 3}};
  perf.time = 10;
  CounterSample end;
  ASSERT_TRUE((*group)->read(end));
  const CounterSample difference = (*group)->difference(begin, end);
  ASSERT_THAT((*group)->events(), SizeIs(4));
  EXPECT_EQ((*group)->events()[0].name, "task_clock");
  EXPECT_DOUBLE_EQ((*group)->value(difference, 0), 5e-6);
  EXPECT_EQ((*group)->value(difference, 1), 700);
  EXPECT_EQ((*group)->value(difference, 2), 800);  // 8 lanes
  EXPECT_EQ((*group)->value(difference, 3), 3);
}

TEST(CounterGroup, OpensAnotherGroupForWhatDoesNotFit) {
  FakePerf perf;
  perf.counts = {{kCycles, 0}, {kInstructions, 0}, {kMisses, 0}};
  perf.registers = 2;
  const std::vector events = {event("a", kCycles), event("b", kInstructions), event("c", kMisses)};
  const auto group = CounterGroup::Create(perf, events, {});
  ASSERT_TRUE(group.ok());
  EXPECT_EQ((*group)->groups(), 2U);
  EXPECT_THAT((*group)->events(), SizeIs(3));
}

TEST(CounterGroup, ScalesWhatHadToTakeTurns) {
  FakePerf perf;
  perf.counts = {{kCycles, 0}};
  const std::vector events = {event("cycles", kCycles)};
  const auto group = *CounterGroup::Create(perf, events, {});
  CounterSample begin;
  group->read(begin);
  perf.counts[kCycles] = 300;
  perf.times[kCycles] = {1000, 250};
  CounterSample end;
  group->read(end);
  EXPECT_EQ(group->value(group->difference(begin, end), 0), 1200);
}

TEST(CounterGroup, KnowsNothingOfWhatHadNoTurn) {
  FakePerf perf;
  perf.counts = {{kCycles, 0}};
  const std::vector events = {event("cycles", kCycles)};
  const auto group = *CounterGroup::Create(perf, events, {});
  CounterSample begin;
  group->read(begin);
  perf.times[kCycles] = {1000, 0};
  CounterSample end;
  group->read(end);
  EXPECT_TRUE(std::isnan(group->value(group->difference(begin, end), 0)));
}

TEST(CounterGroup, ScalesASumByTheTurnsOfAllItsParts) {
  FakePerf perf;
  perf.counts = {{kCycles, 0}};
  const std::vector events = {event("cycles", kCycles)};
  const auto group = *CounterGroup::Create(perf, events, {});
  // Two spans that ran in full, two without a turn: the layer's mean is that of those that ran.
  CounterSample sum;
  CounterSample ran;
  ran.raw[0] = 500;
  ran.enabled[0] = ran.running[0] = 100;
  CounterSample waited;
  waited.enabled[0] = 100;
  for (const CounterSample& part : {ran, waited, ran, waited}) sum.add(part);
  EXPECT_EQ(group->mean(sum, 0, 4), 500);
}

TEST(CounterGroup, DropsADifferenceThatGoesBack) {
  FakePerf perf;
  perf.counts = {{kCycles, 1000}};
  perf.time = 10;
  const std::vector events = {event("cycles", kCycles)};
  const auto group = *CounterGroup::Create(perf, events, {});
  CounterSample begin;
  group->read(begin);
  perf.counts[kCycles] = 900;
  perf.time = 20;
  CounterSample end;
  group->read(end);
  const CounterSample difference = group->difference(begin, end);
  EXPECT_TRUE(std::isnan(group->value(difference, 0)));
  CounterSample good;
  good.raw[0] = 300;
  good.enabled[0] = good.running[0] = 10;
  CounterSample sum = difference;
  sum.add(good);
  EXPECT_EQ(group->mean(sum, 0, 2), 300);
}

TEST(CounterGroup, RefusesAnEventAndGoesOn) {
  FakePerf perf;
  perf.counts = {{kClock, 0}};
  const auto group = CounterGroup::Create(perf, all(), {});
  ASSERT_TRUE(group.ok());
  EXPECT_THAT((*group)->events(), SizeIs(1));
  ASSERT_THAT((*group)->refused(), SizeIs(3));
  EXPECT_EQ((*group)->refused()[0].name, "cycles");
  EXPECT_THAT((*group)->refused()[0].reason, HasSubstr("no such counter"));
}

TEST(CounterGroup, SaysWhyNothingCanBeOpened) {
  FakePerf perf;
  perf.error = EACCES;
  const auto group = CounterGroup::Create(perf, all(), {.paranoid = "4"});
  EXPECT_TRUE(absl::IsUnavailable(group.status()));
  EXPECT_THAT(std::string(group.status().message()), HasSubstr("paranoid is 4"));
  EXPECT_FALSE(CounterGroup::Create(perf, {}, {}).ok());
}

TEST(CounterGroup, KeepsToItsBounds) {
  FakePerf perf;
  std::vector<CounterEvent> events;
  for (std::uint64_t i = 0; i < 30; ++i) {
    perf.counts[{PERF_TYPE_RAW, i}] = 0;
    events.push_back(event(std::to_string(i), {PERF_TYPE_RAW, i}));
  }
  const auto many = *CounterGroup::Create(perf, events, {});
  EXPECT_THAT(many->events(), SizeIs(CounterSample::kMostEvents));
  EXPECT_THAT(many->refused(), SizeIs(10));
  perf.registers = 1;
  const auto narrow = *CounterGroup::Create(perf, events, {});
  EXPECT_EQ(narrow->groups(), CounterSample::kMostGroups);
}

TEST(CounterGroup, ClosesWhatItOpenedAndFailsSoftly) {
  FakePerf perf;
  perf.counts = {{kClock, 0}, {kCycles, 0}};
  {
    const auto group = *CounterGroup::Create(perf, all(), {});
    perf.reads_fail = true;
    CounterSample sample;
    EXPECT_FALSE(group->read(sample));
    EXPECT_THAT(perf.open_files, SizeIs(2));
  }
  EXPECT_THAT(perf.open_files, IsEmpty());
}

}  // namespace
}  // namespace tachostat::probe

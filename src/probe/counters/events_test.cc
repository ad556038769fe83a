#include "probe/counters/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <array>
#include <cerrno>

#include "probe/counters/counter_group.h"
#include "probe/counters/perf_system.h"

namespace tachostat::probe {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// What libpfm4 knows depends on the processor; but the kernel's own events it knows everywhere
// where the kernel has perf_event.
TEST(Events, EncodesTheKernelsOwn) {
  const std::array<std::string_view, 2> names = {"task_clock", "context_switches"};
  const FoundEvents found = find_events(names);
  if (found.events.empty()) GTEST_SKIP() << found.refused.front().reason;
  ASSERT_THAT(found.events, SizeIs(2));
  EXPECT_EQ(found.events[0].type, PERF_TYPE_SOFTWARE);
  EXPECT_EQ(found.events[0].config, PERF_COUNT_SW_TASK_CLOCK);
  EXPECT_EQ(found.events[0].unit, "s");
  EXPECT_FALSE(found.events[0].with_kernel);
  EXPECT_TRUE(found.events[1].with_kernel);
}

TEST(Events, RefusesWhatThisProcessorHasNot) {
  const std::array<std::string_view, 1> names = {"no_such_pmu::NO_SUCH_EVENT"};
  const FoundEvents found = find_events(names);
  ASSERT_THAT(found.refused, SizeIs(1));
  EXPECT_THAT(found.refused[0].reason, HasSubstr("not for this processor"));
}

TEST(Events, FitOneSample) { EXPECT_LE(standard_events().size(), CounterSample::kMostEvents); }

TEST(PerfErrors, SayWhatToDo) {
  const auto text = [](int error) { return explain_perf_error(error, "3"); };
  EXPECT_THAT(text(EACCES), HasSubstr("perf_event_paranoid is 3"));
  EXPECT_THAT(text(ENOENT), HasSubstr("virtual machine"));
  EXPECT_THAT(text(EMFILE), HasSubstr("ulimit -n"));
  EXPECT_THAT(text(EINVAL), HasSubstr("Invalid argument"));
}

// The real kernel, where it lets us: time passes while a thread works.
TEST(PerfSystem, CountsTheTimeOfThisThread) {
  const std::array<std::string_view, 1> names = {"task_clock"};
  const FoundEvents found = find_events(names);
  const auto group = CounterGroup::Create(system_perf(), found.events, {});
  if (!group.ok()) GTEST_SKIP() << group.status();
  CounterSample begin;
  CounterSample end;
  ASSERT_TRUE((*group)->read(begin));
  ASSERT_TRUE((*group)->read(end));
  EXPECT_GT((*group)->value((*group)->difference(begin, end), 0), 0);
}

}  // namespace
}  // namespace tachostat::probe

// The process and the machine's memory: scheduler, numa.
#include "probe/sensors/sources.h"
#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Scheduler, AddsUpTheThreads) {
  const auto scheduler = make_scheduler(at_root(root_of("intel_laptop")));
  EXPECT_THAT(
      values_of(*scheduler),
      IsSupersetOf({Pair("scheduler/minor_faults", 5000.), Pair("scheduler/major_faults", 7.),
                    Pair("scheduler/threads", 2.), Pair("scheduler/run_time", 5.),
                    Pair("scheduler/run_delay", 0.25), Pair("scheduler/slices", 1000.),
                    Pair("scheduler/voluntary_switches", 890.),
                    Pair("scheduler/involuntary_switches", 110.),
                    Pair("scheduler/migrations", 15.)}));
}

TEST(Scheduler, KeepsWhatAnEndedThreadDid) {
  const ChangedRoot root("intel_laptop");
  const auto scheduler = make_scheduler(at_root(root.path()));
  EXPECT_EQ(values_of(*scheduler)["scheduler/run_delay"], 0.25);
  root.remove("/proc/self/task/701");
  root.write("/proc/self/task/700/schedstat", "4000000000 300000000 900");
  EXPECT_NEAR(values_of(*scheduler)["scheduler/run_delay"], 0.35, 1e-12);
  // The number comes back for another thread.
  root.write("/proc/self/task/701/schedstat", "0 10000000 1");
  EXPECT_NEAR(values_of(*scheduler)["scheduler/run_delay"], 0.36, 1e-12);
}

TEST(Scheduler, NeverGoesBackWhenAThreadEndsWhileItIsRead) {
  const ChangedRoot root("intel_laptop");
  const auto scheduler = make_scheduler(at_root(root.path()));
  values_of(*scheduler);
  root.write("/proc/self/task/701/schedstat", "");
  EXPECT_EQ(values_of(*scheduler)["scheduler/run_delay"], 0.25);
  root.write("/proc/self/task/701/schedstat", "1000000000 60000000 100");
  EXPECT_NEAR(values_of(*scheduler)["scheduler/run_delay"], 0.26, 1e-12);
}

TEST(Scheduler, NeedsAWholeStat) {
  EXPECT_THAT(reason(make_scheduler(at_root(root_of("liars")))->available()),
              HasSubstr("fewer numbers"));
  EXPECT_FALSE(make_scheduler(at_root(root_of("empty")))->available().ok());
}

TEST(Processors, AddsUpThoseThatTheProcessMayUse) {
  const auto laptop = make_processors(at_root(root_of("intel_laptop")));
  // Six times 17 s busy and 82 s idle; user and system time of the process.
  EXPECT_THAT(values_of(*laptop),
              UnorderedElementsAre(Pair("processors/allowed", 6), Pair("processors/idle", 492),
                                   Pair("processors/stolen", 0), Pair("processors/busy", 102),
                                   Pair("processors/own", 15)));
  const auto container = make_processors(at_root(root_of("container_v2")));
  EXPECT_THAT(values_of(*container),
              IsSupersetOf({Pair("processors/allowed", 4.), Pair("processors/idle", 200.),
                            Pair("processors/stolen", 20.), Pair("processors/busy", 120.)}));
}

TEST(Processors, AreAllWhereNothingIsSaidOfTheProcess) {
  const ChangedRoot root("container_v2");
  root.remove("/proc/self");
  const auto processors = make_processors(at_root(root.path()));
  const auto values = values_of(*processors);
  EXPECT_EQ(values.at("processors/allowed"), 8);
  EXPECT_FALSE(values.contains("processors/own"));
}

TEST(Processors, SayWhyTheyAreNotThere) {
  const ChangedRoot root("container_v2");
  root.write("/proc/stat", "cpu 1 2 3\ncpu0 1 x 3 4 5\nintr 7");
  EXPECT_THAT(reason(make_processors(at_root(root.path()))->available()),
              HasSubstr("no line of a processor"));
  root.remove("/proc/stat");
  EXPECT_THAT(reason(make_processors(at_root(root.path()))->available()), HasSubstr("/proc/stat"));
}

TEST(Numa, TellsLocalFromRemote) {
  const auto numa = make_numa(at_root(root_of("amd_server")));
  EXPECT_THAT(values_of(*numa),
              UnorderedElementsAre(
                  Pair("numa/node0/local_pages", 4900000), Pair("numa/node0/remote_pages", 100000),
                  Pair("numa/node0/missed_pages", 100), Pair("numa/node0/free", 204800000000),
                  Pair("numa/node0/total", 405504000000), Pair("numa/node1/local_pages", 5800000),
                  Pair("numa/node1/remote_pages", 200000), Pair("numa/node1/missed_pages", 2000),
                  Pair("numa/node1/free", 153600000000), Pair("numa/node1/total", 405504000000)));
}

}  // namespace
}  // namespace tachostat::probe

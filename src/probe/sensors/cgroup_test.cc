// Control groups and pressure.
#include "probe/sensors/cgroup_place.h"
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

TEST(CgroupPlace, LooksBelowTheMountsRootOnVersion1) {
  const auto place = find_cgroup(Tree(root_of("container_v1")), "self", "memory");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->version, 1);
  EXPECT_EQ(place->path, "/docker/0123abcd");
  EXPECT_THAT(place->folders, ElementsAre("/sys/fs/cgroup/memory"));
}

TEST(CgroupPlace, ClimbsToTheTopOfTheHierarchy) {
  const auto place = find_cgroup(Tree(root_of("intel_laptop")), "self", "cpu");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->version, 2);
  EXPECT_THAT(place->folders,
              ElementsAre("/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope",
                          "/sys/fs/cgroup/user.slice/user-1000.slice", "/sys/fs/cgroup/user.slice",
                          "/sys/fs/cgroup"));
}

TEST(CgroupPlace, FallsBackToTheMountWhereThePathIsNotVisible) {
  const ChangedRoot root("container_v2");
  root.write("/proc/self/cgroup", "0::/kubepods/pod1/abc");
  EXPECT_THAT(find_cgroup(Tree(root.path()), "self", "cpu")->folders,
              ElementsAre("/sys/fs/cgroup"));
  root.write("/proc/self/cgroup", "0::/../../other");
  EXPECT_THAT(find_cgroup(Tree(root.path()), "self", "cpu")->folders,
              ElementsAre("/sys/fs/cgroup"));
}

TEST(CgroupPlace, PrefersVersion1WhereBothAreMounted) {
  const ChangedRoot root;
  root.write("/proc/self/cgroup", "4:memory:/a\n1:cpu:/\n0::/b");
  root.write("/proc/self/mountinfo",
             "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
             "35 31 0:32 / /sys/fs/cgroup/memory\\040x rw - cgroup cgroup rw,memory\n"
             "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
  root.write("/sys/fs/cgroup/memory x/a/memory.usage_in_bytes", "1");
  root.write("/sys/fs/cgroup/cpu/cpu.stat", "");
  root.write("/sys/fs/cgroup/unified/b/cpu.pressure", "");
  const Tree tree(root.path());
  EXPECT_THAT(find_cgroup(tree, "self", "memory")->folders.front(), "/sys/fs/cgroup/memory x/a");
  EXPECT_THAT(find_cgroup(tree, "self", "cpu")->folders, ElementsAre("/sys/fs/cgroup/cpu"));
  EXPECT_THAT(find_cgroup(tree, "self", "")->folders.front(), "/sys/fs/cgroup/unified/b");
}

TEST(CgroupPlace, SurvivesGarbage) {
  const auto place = find_cgroup(Tree(root_of("liars")), "self", "cpu");
  ASSERT_TRUE(place);
  EXPECT_THAT(place->folders, ElementsAre("/sys/fs/cgroup"));
  EXPECT_FALSE(find_cgroup(Tree(root_of("empty")), "self", "cpu"));
}

TEST(Cgroup, ReadsAContainerOnVersion1) {
  const auto cgroup = make_cgroup(at_root(root_of("container_v1")));
  EXPECT_THAT(values_of(*cgroup),
              UnorderedElementsAre(
                  Pair("cgroup/cpu/quota", 1.5), Pair("cgroup/cpu/periods", 1000),
                  Pair("cgroup/cpu/throttled_periods", 250), Pair("cgroup/cpu/throttled", 12.5),
                  Pair("cgroup/cpu/used", 42), Pair("cgroup/memory/used", 9e8),
                  Pair("cgroup/memory/working_set", 8e8), Pair("cgroup/memory/limit", 1073741824),
                  Pair("cgroup/memory/limit_hits", 3), Pair("cgroup/memory/oom_kills", 1)));
  EXPECT_THAT(facts_of(*cgroup), UnorderedElementsAre(Pair("cgroup/version", "1"),
                                                      Pair("cgroup/path", "/docker/0123abcd")));
}

TEST(Cgroup, TakesTheTightestLimitOfNestedGroups) {
  const auto cgroup = make_cgroup(at_root(root_of("container_v2")));
  EXPECT_THAT(values_of(*cgroup),
              UnorderedElementsAre(
                  Pair("cgroup/cpu/quota", 2), Pair("cgroup/cpu/periods", 8000),
                  Pair("cgroup/cpu/throttled_periods", 500), Pair("cgroup/cpu/throttled", 10),
                  Pair("cgroup/cpu/used", 60), Pair("cgroup/memory/used", 2e9),
                  Pair("cgroup/memory/working_set", 1.6e9), Pair("cgroup/memory/limit", 4294967296),
                  Pair("cgroup/memory/high", 3221225472), Pair("cgroup/memory/swap", 0),
                  Pair("cgroup/memory/high_hits", 12), Pair("cgroup/memory/limit_hits", 34),
                  Pair("cgroup/memory/oom", 1), Pair("cgroup/memory/oom_kills", 1)));
}

TEST(Cgroup, HasNoLimitWhereNoneIsSet) {
  const ChangedRoot root("container_v1");
  const auto cgroup = make_cgroup(at_root(root.path()));
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  root.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  root.write("/sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 9223372036854771712");
  const auto values = values_of(*cgroup);
  EXPECT_THAT(values, Not(Contains(Key("cgroup/cpu/quota"))));
  EXPECT_THAT(values, Not(Contains(Key("cgroup/memory/limit"))));
}

TEST(Cgroup, BelievesNoNegativeCounts) {
  EXPECT_THAT(reason(make_cgroup(at_root(root_of("liars")))->available()),
              HasSubstr("tells nothing of cpu or memory"));
}

TEST(Pressure, TellsStallsOfTheMachineAndOfTheGroup) {
  const auto pressure = make_pressure(at_root(root_of("container_v2")));
  const auto values = values_of(*pressure);
  EXPECT_THAT(values,
              IsSupersetOf({Pair("pressure/cpu/some", 60.), Pair("pressure/cpu/some_10s", 0.3),
                            Pair("pressure/memory/full", 6.), Pair("pressure/cgroup/cpu/some", 40.),
                            Pair("pressure/cgroup/cpu/some_10s", 0.8)}));
  EXPECT_THAT(values, Not(Contains(Key("pressure/cpu/full"))));
}

TEST(Pressure, SaysHowToSwitchItOn) {
  EXPECT_THAT(reason(make_pressure(at_root(root_of("empty")))->available()),
              HasSubstr("CONFIG_PSI"));
  // The file is there but does not answer (EOPNOTSUPP): here a folder in its place.
  const ChangedRoot root;
  root.write("/proc/pressure/cpu/x", "");
  EXPECT_THAT(reason(make_pressure(at_root(root.path()))->available()), HasSubstr("psi=1"));
}

TEST(Pressure, BelievesNoGarbage) {
  EXPECT_FALSE(make_pressure(at_root(root_of("liars")))->available().ok());
}

}  // namespace
}  // namespace tachostat::probe

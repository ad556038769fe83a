#include "probe/sensors/tree.h"

#include <sys/stat.h>

#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Tree, ReadsOneNumberAndNothingElse) {
  const ChangedRoot root;
  root.write("/a", "  42 ");
  root.write("/b", "42 W");
  root.write("/c", "1e400");
  root.write("/d", "-5");
  const Tree tree(root.path());
  EXPECT_EQ(tree.number("/a"), 42);
  EXPECT_EQ(tree.number("/b"), std::nullopt);
  EXPECT_EQ(tree.number("/c"), std::nullopt);
  EXPECT_EQ(tree.number("/d"), -5);
  EXPECT_EQ(tree.count("/d"), std::nullopt);
  EXPECT_EQ(tree.number("/none"), std::nullopt);
}

TEST(Tree, TellsWhyAFileCannotBeRead) {
  const ChangedRoot root;
  root.write("/folder/file", "1");
  const Tree tree(root.path());
  EXPECT_TRUE(absl::IsNotFound(tree.text("/none").status()));
  EXPECT_EQ(reason(tree.text("/none").status()), "no /none");
  EXPECT_TRUE(absl::IsUnavailable(tree.text("/folder").status()));
}

TEST(Tree, DoesNotWaitForAPipe) {
  const ChangedRoot root;
  ASSERT_EQ(mkfifo((root.path() + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Tree(root.path()).word("/pipe"), "");
}

TEST(Tree, CutsFilesThatAreTooLong) {
  const ChangedRoot root;
  root.write("/long", std::string(2 * Tree::kMost, 'x'));
  EXPECT_LE(Tree(root.path()).word("/long").size(), Tree::kMost + 4096);
}

TEST(Tree, ListsNumbersInOrderOfSize) {
  const ChangedRoot root;
  for (const char* name : {"/d/cpu10", "/d/cpu2", "/d/cpu1", "/d/cpufreq", "/d/x"}) {
    root.write(name, "");
  }
  EXPECT_THAT(Tree(root.path()).list("/d", "cpu"), ElementsAre("cpu1", "cpu2", "cpu10", "cpufreq"));
  EXPECT_THAT(Tree(root.path()).list("/none"), IsEmpty());
}

TEST(Tree, FieldsEndWhereTheirKeyEnds) {
  const std::string_view text = "oom_kill 3\noom 1\nName:\tx\nnr:  7 kB\nlast";
  EXPECT_EQ(field(text, "oom"), 1);
  EXPECT_EQ(field(text, "oom_kill"), 3);
  EXPECT_EQ(field(text, "nr"), 7);
  EXPECT_EQ(field(text, "Name"), std::nullopt);
  EXPECT_EQ(field(text, "last"), std::nullopt);
  EXPECT_EQ(field(text, "none"), std::nullopt);
}

TEST(CpuList, ReadsRangesAndRefusesNonsense) {
  EXPECT_THAT(parse_cpu_list("0-2,8,4-5\n"), ElementsAre(0, 1, 2, 4, 5, 8));
  EXPECT_THAT(parse_cpu_list(""), IsEmpty());
  EXPECT_THAT(parse_cpu_list("3-1"), IsEmpty());
  EXPECT_THAT(parse_cpu_list("0-99999999999"), IsEmpty());
  EXPECT_THAT(parse_cpu_list("a-b"), IsEmpty());
}

TEST(CpuList, DoesNotGrowWithRangesThatRepeat) {
  std::string text = "0-65535";
  for (int i = 0; i < 1000; ++i) text += ",0-65535";
  EXPECT_THAT(parse_cpu_list(text), IsEmpty());
}

}  // namespace
}  // namespace tachostat::probe

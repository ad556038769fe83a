#include "trace/formats/collapsed.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tachostat::trace {
namespace {

std::string written(const Stacks& stacks) {
  std::ostringstream out;
  write_collapsed(stacks, out);
  return out.str();
}

TEST(Collapsed, OneLinePerStackWithTimeOfItsOwn) {
  StacksBuilder stacks;
  const auto main = stacks.stack(Stacks::kNone, stacks.frame("main"));
  const auto conv = stacks.stack(main, stacks.frame("Conv_1"));
  stacks.add(conv, UINT64_MAX, 3);
  stacks.add(stacks.stack(conv, stacks.frame("brgconv")), 7, 1);
  EXPECT_EQ(written(stacks.take()),
            "main;Conv_1 18446744073709551615\n"
            "main;Conv_1;brgconv 7\n");
}

TEST(Collapsed, NamesCannotBreakTheFormat) {
  StacksBuilder stacks;
  const auto outer = stacks.stack(Stacks::kNone, stacks.frame("a;b 12\r\nc"));
  stacks.add(stacks.stack(outer, stacks.frame("\"q\" \xff\x7f")), 5, 1);
  EXPECT_EQ(written(stacks.take()), "a:b 12  c;\"q\" \uFFFD  5\n");
}

TEST(Collapsed, NothingOfNothing) { EXPECT_EQ(written({}), ""); }

}  // namespace
}  // namespace tachostat::trace

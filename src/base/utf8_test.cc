#include "base/utf8.h"

#include <gtest/gtest.h>

namespace tachostat::base {
namespace {

TEST(Utf8, LeavesGoodTextAlone) {
  EXPECT_EQ(to_utf8(""), "");
  EXPECT_EQ(to_utf8("naïve 層 \xF0\x9F\x98\x80\n"), "naïve 層 \xF0\x9F\x98\x80\n");
  const std::string zero("a\0b", 3);
  EXPECT_EQ(to_utf8(zero), zero);
}

TEST(Utf8, ReplacesEachBadByte) {
  EXPECT_EQ(to_utf8("a\xFFz"), "a\uFFFDz");
  EXPECT_EQ(to_utf8("cut \xE5\xB1"), "cut \uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(to_utf8("\xF4\x90\x80\x80").size(), 12u);        // beyond U+10FFFF
}

}  // namespace
}  // namespace tachostat::base

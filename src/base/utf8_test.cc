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

TEST(CodePoints, AreReadAndWrittenBack) {
  const std::string text = "a\u00e9\u20ac\U0001d4b3";
  const std::vector<std::uint32_t> codes = code_points(text);
  EXPECT_EQ(codes, (std::vector<std::uint32_t>{'a', 0xe9, 0x20ac, 0x1d4b3}));
  std::string again;
  for (const std::uint32_t code : codes) append_code_point(again, code);
  EXPECT_EQ(again, text);
}

TEST(CodePoints, OfBytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(code_points("\xff"
                        "b"),
            (std::vector<std::uint32_t>{0xfffd, 'b'}));
  std::string text;
  append_code_point(text, 0xd800);
  append_code_point(text, 0x110000);
  EXPECT_EQ(text, "\ufffd\ufffd");
}

TEST(Utf8, NothingPrintableSteersATerminal) {
  EXPECT_EQ(printable("conv \x1b[31mred\n \xC2\x9B \x7F \xFF é…"), "conv ?[31mred? ? ? ? é…");
  EXPECT_EQ(printable(""), "");
}

}  // namespace
}  // namespace tachostat::base

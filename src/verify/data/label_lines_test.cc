#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "verify/data/labels.h"

namespace tachostat::verify {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kFiles = {"a.npy", "b.npz"};

std::string refusal(std::string_view text) {
  const auto labels = parse_label_lines(text, kFiles);
  return labels.ok() ? "it was read" : std::string(base::message_of(labels.status()));
}

TEST(LabelLines, MayBeInOrder) {
  EXPECT_THAT(parse_label_lines("3\r\n-1\r\n", kFiles)->classes, ElementsAre(3, -1));
  EXPECT_THAT(parse_label_lines("cat, black\ndog", kFiles)->texts,
              ElementsAre("cat, black", "dog"));
}

TEST(LabelLines, MayNameFilesInAnyOrder) {
  EXPECT_THAT(parse_label_lines("b,5\na,4\n", kFiles)->classes, ElementsAre(4, 5));
  EXPECT_THAT(
      parse_label_lines("file,label\nb.npz,\"say \"\"hi\"\", x\"\na.npy,1,2\n", kFiles)->texts,
      ElementsAre("1,2", "say \"hi\", x"));
}

TEST(LabelLines, WithLeadingZerosAreText) {
  EXPECT_THAT(parse_label_lines("007\n12\n", kFiles)->texts, ElementsAre("007", "12"));
}

TEST(LabelLines, ThatDoNotMatchTheFilesAreRefused) {
  EXPECT_THAT(refusal("1\n2\n3\n"), HasSubstr("expected 2 lines"));
  EXPECT_THAT(refusal(""), HasSubstr("found 0"));
  EXPECT_THAT(refusal("a,1\n"), HasSubstr("'b.npz' has no label"));
  EXPECT_THAT(refusal("a,1\na.npy,2\nb,3\n"), HasSubstr("two labels"));
  EXPECT_THAT(refusal("a,1\nc,2\n"), HasSubstr("'c,2' names no sample"));
}

}  // namespace
}  // namespace tachostat::verify

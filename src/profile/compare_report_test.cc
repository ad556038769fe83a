#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "profile/compare_test_support.h"

namespace tachostat::profile {
namespace {

using testing::HasSubstr;
using testing::Not;

// With one regressed layer of the given name.
Comparison sample(const std::string& name) {
  auto base = side({.seed = 1});
  auto head = side({.seed = 2, .planted = 1.5, .planted_from = 0.125});
  for (auto* const runs : {&base, &head}) {
    for (ComparedRun& run : *runs) run.profile.layers[3].name = name;
  }
  return *compare(base, head, {});
}

TEST(CompareReport, TextHasTheTotalTheChangedAndTheRest) {
  const std::string text = to_text(sample("conv"));
  EXPECT_LT(text.find("total"), text.find("conv"));
  EXPECT_THAT(text, HasSubstr("5 runs, 1600 requests"));
  EXPECT_THAT(text, HasSubstr("it changed inside HEAD's run"));
  EXPECT_THAT(text, HasSubstr("1 of 10 tested layers changed"));
  EXPECT_THAT(text, HasSubstr("regression: "));
  EXPECT_THAT(text, Not(HasSubstr("layer4")));
}

TEST(CompareReport, JunitHasATestCaseForEachLayer) {
  const std::string xml = to_junit(sample("conv"));
  EXPECT_THAT(xml, HasSubstr("tests=\"11\""));
  EXPECT_THAT(xml, HasSubstr("name=\"conv\""));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"regression\""));
  EXPECT_THAT(xml, HasSubstr("name=\"layer4\""));
}

TEST(CompareReport, NamesCannotSteerAnyFormat) {
  const Comparison hostile = sample("\x1B[31m]]><a b=\"|`@me #1 \n\xEF\xBF\xBF\xFF");
  const std::string text = to_text(hostile);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
  const std::string xml = to_junit(hostile);
  EXPECT_THAT(xml, HasSubstr("?[31m]]&gt;&lt;a b=&quot;|`@me #1 ???"));
  EXPECT_THAT(xml, Not(HasSubstr("<a")));
  const std::string markdown = to_markdown(hostile);
  EXPECT_THAT(markdown, HasSubstr("&#60;a b\\=\\\"&#124;\\`&#64;me &#35;1"));
  EXPECT_THAT(markdown, Not(HasSubstr("@me")));
  EXPECT_TRUE(nlohmann::json::accept(to_json(hostile)));
}

TEST(CompareReport, MarkdownIsATable) {
  const std::string markdown = to_markdown(sample("conv"));
  EXPECT_THAT(markdown, HasSubstr("| **total** |"));
  EXPECT_THAT(markdown, HasSubstr("| conv | Convolution |"));
  EXPECT_THAT(markdown, HasSubstr("**slower** (p "));
}

TEST(CompareReport, JsonHasTheNumbers) {
  const auto json = nlohmann::json::parse(to_json(sample("conv")));
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["regressed"], true);
  EXPECT_EQ(json["layers"].size(), 10U);
  EXPECT_EQ(json["layers"][0]["name"], "conv");
  EXPECT_EQ(json["layers"][0]["change"], "slower");
  EXPECT_EQ(json["layers"][0]["since"]["slice"], 5);
  EXPECT_EQ(json["base"]["runs"], 5);
}

}  // namespace
}  // namespace tachostat::profile

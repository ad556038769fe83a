#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnose/diagnose.h"

namespace tachostat::diagnose {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Finding sample() {
  Finding finding{.rule = "idle-workers", .summary = "idle 41 % of the time", .share = 0.5};
  finding.layers = {"a", "b", "c", "d", "e\x1b[31m"};
  finding.gain_low = 0.04;
  finding.gain_high = 0.2;
  finding.evidence = {{"thread efficiency", 0.59, "share", 120},
                      {"peak compute", 1e11, "FLOP/s", 1}};
  finding.remedies = {Remedy::kThreadsAndStreams, Remedy::kBatch};
  return finding;
}

TEST(FindingsJson, HasFindingsAtTopLevel) {
  const json document = json::parse(to_json({sample()}));
  EXPECT_EQ(document["version"], 1);
  ASSERT_EQ(document["findings"].size(), 1);
  const json& finding = document["findings"][0];
  EXPECT_EQ(finding["rule"], "idle-workers");
  EXPECT_EQ(finding["layers"].size(), 5);
  EXPECT_EQ(finding["gain_low"], 0.04);
  EXPECT_EQ(finding["gain_high"], 0.2);
  EXPECT_EQ(finding["evidence"][0]["n"], 120);
  EXPECT_EQ(finding["remedies"][0]["kind"], "threads-and-streams");
  EXPECT_EQ(finding["remedies"][1]["kind"], "batch");
  EXPECT_EQ(finding["objective"], "latency");
}

TEST(FindingsJson, NoFindingsAreAnEmptyArray) {
  const json document = json::parse(to_json({}));
  EXPECT_TRUE(document["findings"].is_array());
  EXPECT_TRUE(document["findings"].empty());
}

TEST(FindingsJson, NamesNeedNotBeUtf8) {
  Finding finding = sample();
  finding.layers = {"\xff"};
  EXPECT_FALSE(json::parse(to_json({finding}), nullptr, false).is_discarded());
}

TEST(FindingsText, IsForPeople) {
  const std::string text = to_text({sample(), sample()});
  EXPECT_THAT(text, HasSubstr("1. idle-workers: idle 41 %"));
  EXPECT_THAT(text, HasSubstr("2. idle-workers"));
  EXPECT_THAT(text, HasSubstr("expected gain: 4.0 % to 20 % of request time"));
  EXPECT_THAT(text, HasSubstr("layers: a, b, c, d and 1 more"));
  EXPECT_THAT(text, HasSubstr("thread efficiency: 59 %, n = 120"));
  EXPECT_THAT(text, HasSubstr("peak compute: 100GFLOP/s"));
  EXPECT_THAT(text, HasSubstr("remedies: threads-and-streams, batch"));
}

TEST(FindingsText, NamesCannotSteerATerminal) {
  Finding finding = sample();
  finding.layers = {"e\x1b[31m\n"};
  EXPECT_THAT(to_text({finding}), HasSubstr("layers: e?[31m?\n"));
}

TEST(FindingsText, NoFindingsAreTold) { EXPECT_THAT(to_text({}), HasSubstr("no findings")); }

TEST(Remedies, HaveNames) {
  EXPECT_EQ(name_of(Remedy::kLowerPrecision), "lower-precision");
  EXPECT_EQ(name_of(Remedy::kThreadsAndStreams), "threads-and-streams");
  EXPECT_EQ(name_of(Remedy::kBatch), "batch");
  EXPECT_EQ(name_of(Remedy::kStaticShapes), "static-shapes");
}

}  // namespace
}  // namespace tachostat::diagnose

#include <fstream>
#include <set>
#include <sstream>

#include "diagnose/rules_test_support.h"

namespace tachostat::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Rules, HealthyProfileHasNoFindings) {
  EXPECT_THAT(diagnose(profile_of({healthy(0.98)}), machine()), IsEmpty());
}

TEST(Rules, NothingIsClaimedWithoutEvidence) {
  EXPECT_THAT(diagnose({}, {}), IsEmpty());
  EXPECT_THAT(diagnose({}, machine()), IsEmpty());
  EXPECT_THAT(diagnose(profile_of({}), {}), IsEmpty());
  Profile unknown = profile_of({healthy(0.9)});
  for (LayerProfile& one : unknown.layers) one.work = {};
  EXPECT_THAT(diagnose(unknown, machine()), IsEmpty());
}

TEST(Rules, TooFewRequestsProveNothing) {
  Profile profile = profile_of({layer("conv", 0.9, 80e9, 4e9)});
  profile.request_time.clear();
  profile.request_time.record(kRequestNs, 7);
  for (LayerProfile& one : profile.layers) {
    one.time.clear();
    one.time.record(kRequestNs * 9 / 10, 7);
    one.thread_efficiency = 0.2;
  }
  EXPECT_THAT(diagnose(profile, machine()), IsEmpty());
}

TEST(Diagnose, LargestExpectedGainFirst) {
  LayerProfile idle = layer("lstm", 0.7, 20e9, 1e9);
  idle.thread_efficiency = 0.3;
  const std::vector<Finding> findings =
      diagnose(profile_of({layer("eltwise", 0.2, 2e9, 15e9), idle}), machine());
  EXPECT_THAT(rules_of(findings), ElementsAre("idle-workers", "memory-bound"));
}

TEST(Overlap, FindingsOnTheSameLayersPromiseTheirTimeOnce) {
  // Near the roof, on idle and uneven threads that start late, and a lone f32 layer among integers.
  LayerProfile one = layer("conv", 0.6, 60e9, 4e9);
  one.thread_efficiency = 0.3;
  one.kernel = "jit_sse41";
  one.threads = {.executions = kRequests, .participants = 2, .imbalance = 1.9};
  one.threads.dispatch_ns = 0.3 * 0.6 * kRequestNs;
  LayerProfile integers = layer("int", 0.3, 80e9, 4e9);
  integers.precision = "u8";
  integers.thread_efficiency = 0.95;
  Roofline wide = machine();
  wide.instruction_sets = {"avx512f", "avx512_bf16"};
  const std::vector<Finding> findings = diagnose(profile_of({one, integers}), wide);
  EXPECT_THAT(rules_of(findings), testing::Contains("idle-workers"));
  EXPECT_GE(findings.size(), 2U);
  for (const Finding& finding : findings) expect_honest(finding);
  expect_promised_once(findings);
}

TEST(Overlap, PartsAddUpToTheFinding) {
  const std::vector<Finding> findings =
      diagnose(profile_of({node("a", "Reorder", 0.2), node("odd", "Softmax", 0.2, {0}),
                           node("b", "Convert", 0.3, {1}), node("c", "Add", 0.2, {2})}),
               machine());
  EXPECT_THAT(findings, Not(IsEmpty()));
  for (const Finding& finding : findings) {
    double share = 0;
    double high = 0;
    for (const Part& part : finding.parts) {
      share += part.share;
      high += part.gain_high;
    }
    EXPECT_NEAR(share, finding.share, 1e-9) << finding.rule;
    EXPECT_NEAR(high, finding.gain_high, 1e-9) << finding.rule;
  }
}

TEST(Overlap, SharesOfLayersThatRanSideBySideAreNoMoreThanAll) {
  const std::vector<Finding> findings =
      diagnose(profile_of({node("a", "Reorder", 0.9), node("b", "Reorder", 0.9)}), machine());
  ASSERT_THAT(rules_of(findings), testing::Contains("reorders"));
  for (const Finding& finding : findings) expect_honest(finding);
}

TEST(Diagnose, EveryRuleSaysWhatItIs) {
  std::set<std::string_view> names;
  for (const Family& family : families()) {
    EXPECT_THAT(family.rules, Not(IsEmpty())) << family.name;
    for (const Rule& rule : family.rules) {
      EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
      EXPECT_NE(rule.find, nullptr) << rule.name;
      for (const std::string_view text :
           {rule.metric, rule.threshold, rule.remedy, rule.gain, rule.source}) {
        EXPECT_THAT(text, Not(IsEmpty())) << rule.name;
      }
    }
  }
}

// `tachostat diagnose --rules` writes what stands between the two marks.
TEST(Diagnose, ThePageOfRulesIsUpToDate) {
  std::ifstream file(std::string(TACHOSTAT_SOURCE_DIR) + "/docs/rules.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(),
              HasSubstr("<!-- rules -->\n" + rules_markdown() + "\n<!-- end of rules -->"));
}

}  // namespace
}  // namespace tachostat::diagnose

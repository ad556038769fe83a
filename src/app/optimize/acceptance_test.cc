#include "app/optimize/acceptance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::app {
namespace {

using ::testing::HasSubstr;
using Verdict = Outcome::Verdict;

Outcome outcome(std::string name, verify::Drop selection, verify::Drop report) {
  Outcome made;
  made.name = std::move(name);
  made.verdict = Verdict::kVerified;
  made.selection = selection;
  made.report = report;
  return made;
}

TEST(Acceptance, RefusesWhatHoldsMoreMemoryThanAllowed) {
  OptimizeResult result;
  result.outcomes = {outcome("small", {}, {}), outcome("large", {}, {}), outcome("default", {}, {}),
                     outcome("untold", {}, {})};
  result.outcomes[0].memory_bytes = 60'000'000;
  result.outcomes[1].memory_bytes = result.outcomes[2].memory_bytes = 90'000'000;
  result.outcomes[2].verdict = Verdict::kBaseline;
  refuse_too_large(result);
  EXPECT_EQ(result.outcomes[1].verdict, Verdict::kVerified) << "there is no limit";
  result.memory_limit = 64'000'000;
  refuse_too_large(result);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::kVerified);
  EXPECT_EQ(result.outcomes[1].verdict, Verdict::kRefused);
  EXPECT_THAT(result.outcomes[1].sentence, HasSubstr("too large"));
  EXPECT_EQ(result.outcomes[2].verdict, Verdict::kBaseline);
  EXPECT_EQ(result.outcomes[3].verdict, Verdict::kVerified);
}

// By their reports; the safer one is to be proved first.
OptimizeResult faster_and_safer(verify::Drop faster, verify::Drop safer) {
  OptimizeResult result;
  result.outcomes = {outcome("faster", {100, 0.004, 0.012}, faster),
                     outcome("safer", {100, 0.001, 0.008}, safer)};
  return result;
}

TEST(Acceptance, RefusesWhatDropsTooMuchWhereItWasSelected) {
  OptimizeResult result;
  result.metric = "top-1";
  result.outcomes = {outcome("good", {100, 0.009, 0.02}, {}), outcome("bad", {100, 0.02, 0.03}, {}),
                     outcome("broken", {100, 0, 0}, {}), outcome("engine's", {100, 0.5, 0.6}, {})};
  result.outcomes[2].non_finite = 3;
  result.outcomes[3].verdict = Verdict::kBaseline;
  refuse_inaccurate(result);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::kVerified);
  EXPECT_EQ(result.outcomes[1].verdict, Verdict::kRefused);
  EXPECT_THAT(result.outcomes[1].sentence, HasSubstr("top-1 drops by 2.00 % on 100 samples"));
  EXPECT_EQ(result.outcomes[2].verdict, Verdict::kRefused);
  EXPECT_THAT(result.outcomes[2].sentence, HasSubstr("NaN or infinity in 3 samples"));
  EXPECT_EQ(result.outcomes[3].verdict, Verdict::kBaseline);
}

TEST(Acceptance, KeepsTheSaferWhenTheFasterIsNotProved) {
  OptimizeResult result = faster_and_safer({400, 0.006, 0.013}, {400, 0.001, 0.009});
  refuse_unproved(result);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::kRefused);
  EXPECT_THAT(result.outcomes[0].sentence,
              HasSubstr("0.60 % on 400 held-out samples, but by up to 1.30 %"));
  EXPECT_EQ(result.outcomes[1].verdict, Verdict::kVerified);
}

// Else one of two would be "proved" by luck twice as often as is said.
TEST(Acceptance, ProvesNothingAfterTheFirstFailure) {
  OptimizeResult result = faster_and_safer({400, 0.001, 0.009}, {400, 0.006, 0.013});
  refuse_unproved(result);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::kRefused);
  EXPECT_THAT(result.outcomes[0].sentence, HasSubstr("after 'safer', and that was not"));
  EXPECT_EQ(result.outcomes[1].verdict, Verdict::kRefused);
}

TEST(Acceptance, LeavesOutWhatWasRefusedBefore) {
  OptimizeResult result;
  result.outcomes = {outcome("fine", {100, 0.004, 0.012}, {400, 0.001, 0.009}),
                     outcome("refused", {100, 0, 0}, {400, 0.5, 0.6})};
  result.outcomes[1].verdict = Verdict::kRefused;
  result.outcomes[1].sentence = "NaN";
  refuse_unproved(result);
  EXPECT_EQ(result.outcomes[0].verdict, Verdict::kVerified);
  EXPECT_EQ(result.outcomes[1].sentence, "NaN");
}

}  // namespace
}  // namespace tachostat::app

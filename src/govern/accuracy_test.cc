#include "govern/accuracy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::govern {
namespace {

using Verdict = AccuracyCheck::Verdict;
using testing::HasSubstr;

verify::Agreement round_of(std::uint64_t samples, std::uint64_t labels, double agreement,
                           double difference) {
  verify::Agreement round;
  round.samples = samples;
  round.labels = labels;
  round.label_agreement = agreement;
  round.largest_difference = difference;
  round.bit_exact = difference == 0;
  return round;
}

TEST(AccuracyCheckTest, SameArithmeticNeedsNoBound) {
  AccuracyCheck check(0.01, true);
  check.add(round_of(16, 16, 1, 1e-6));
  EXPECT_EQ(check.verdict(), Verdict::kAccurate);
  EXPECT_EQ(check.drop_bound(), 0);
  EXPECT_THAT(check.sentence(), HasSubstr("same arithmetic"));
}

TEST(AccuracyCheckTest, SameArithmeticNeedsSomeSamples) {
  AccuracyCheck check(0.01, true);
  check.add(round_of(AccuracyCheck::kMinSamples - 1, 7, 1, 0));
  EXPECT_EQ(check.verdict(), Verdict::kMore);
  check.add(round_of(1, 1, 1, 0));
  EXPECT_EQ(check.verdict(), Verdict::kAccurate);
}

TEST(AccuracyCheckTest, OtherArithmeticCollectsLabelsUntilTheBoundHolds) {
  AccuracyCheck check(0.01, false);
  for (int i = 0; i < 18; ++i) {
    check.add(round_of(16, 16, 1, 1e-4));
    EXPECT_EQ(check.verdict(), Verdict::kMore);
  }
  check.add(round_of(16, 16, 1, 1e-4));  // 304 labels; 299 are needed at least
  EXPECT_EQ(check.verdict(), Verdict::kAccurate);
  EXPECT_GT(check.drop_bound(), 0);
  EXPECT_LE(check.drop_bound(), 0.01);
}

TEST(AccuracyCheckTest, FewDifferencesNeedMoreLabels) {
  AccuracyCheck check(0.01, false);
  check.add(round_of(16, 400, 1 - 2.0 / 400, 0.1));
  EXPECT_EQ(check.verdict(), Verdict::kMore);
  check.add(round_of(16, 400, 1, 0.1));
  EXPECT_EQ(check.verdict(), Verdict::kAccurate) << check.sentence();
}

TEST(AccuracyCheckTest, ClearlyDifferentIsRefusedAtOnce) {
  AccuracyCheck check(0.01, false);
  check.add(round_of(16, 64, 0.7, 0.5));
  EXPECT_EQ(check.verdict(), Verdict::kInaccurate);
  EXPECT_THAT(check.sentence(), HasSubstr("allowed 1 %"));
}

TEST(AccuracyCheckTest, NotFiniteIsRefused) {
  AccuracyCheck check(0.01, true);
  verify::Agreement round = round_of(1, 1, 1, 0);
  round.finite = false;
  check.add(round);
  EXPECT_EQ(check.verdict(), Verdict::kInaccurate);
}

TEST(AccuracyCheckTest, EndsWhenLabelsCannotSuffice) {
  AccuracyCheck check(1e-6, false);
  for (int i = 0; i < 3; ++i) check.add(round_of(16, 16, 1, 1e-4));
  EXPECT_EQ(check.verdict(), Verdict::kInaccurate);
  EXPECT_THAT(check.sentence(), HasSubstr("takes 29957"));
}

TEST(AccuracyCheckTest, NoDropAllowed) {
  AccuracyCheck other(0, false);
  other.add(round_of(16, 16, 1, 1e-5));
  EXPECT_EQ(other.verdict(), Verdict::kInaccurate);
  AccuracyCheck exact(0, false);
  exact.add(round_of(16, 16, 1, 0));
  EXPECT_EQ(exact.verdict(), Verdict::kAccurate);
  AccuracyCheck threads(0, true);
  threads.add(round_of(16, 16, 1, 1e-6));
  EXPECT_EQ(threads.verdict(), Verdict::kAccurate);
}

TEST(AccuracyCheckTest, OutputsWithoutLabelsAreComparedByValue) {
  AccuracyCheck close(0.01, false);
  close.add(round_of(16, 0, 1, 5e-4));
  EXPECT_EQ(close.verdict(), Verdict::kAccurate);
  AccuracyCheck far(0.01, false);
  far.add(round_of(16, 0, 1, 5e-2));
  EXPECT_EQ(far.verdict(), Verdict::kInaccurate);
}

TEST(AccuracyCheckTest, EmptyRoundsCountForNothing) {
  AccuracyCheck check(0.01, false);
  for (int i = 0; i < 2 * AccuracyCheck::kMaxRounds; ++i) check.add(verify::Agreement());
  EXPECT_EQ(check.verdict(), Verdict::kMore);
}

TEST(AccuracyCheckTest, EndsAfterTheLastRound) {
  AccuracyCheck check(0.01, false);
  for (int i = 0; i < AccuracyCheck::kMaxRounds; ++i) check.add(round_of(6, 6, 1, 1e-2));
  EXPECT_NE(check.verdict(), Verdict::kMore);
}

TEST(MirrorPaceTest, AsksForFreshRequestsOnly) {
  MirrorPace pace(16);
  const base::Time now(std::chrono::seconds(10));
  EXPECT_TRUE(pace.due(now));
  EXPECT_EQ(pace.take(now), 16);
  EXPECT_FALSE(pace.due(now + MirrorPace::kPause)) << "nothing new was answered";
  pace.answered(5);
  EXPECT_FALSE(pace.due(now));
  EXPECT_TRUE(pace.due(now + MirrorPace::kPause));
  EXPECT_EQ(pace.take(now + MirrorPace::kPause), 5);
}

TEST(MergeAgreementTest, KeepsTheWorstAndAddsLabels) {
  verify::Agreement total = round_of(2, 10, 0.9, 1e-3);
  verify::Agreement part = round_of(1, 30, 1, 1e-2);
  part.worst_cosine = 0.5;
  merge(total, part);
  EXPECT_EQ(total.samples, 3u);
  EXPECT_EQ(total.labels, 40u);
  EXPECT_DOUBLE_EQ(total.label_agreement, 39.0 / 40);
  EXPECT_EQ(total.worst_cosine, 0.5);
  EXPECT_EQ(total.largest_difference, 1e-2);
  EXPECT_FALSE(total.bit_exact);
}

}  // namespace
}  // namespace tachostat::govern

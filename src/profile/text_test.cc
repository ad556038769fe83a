#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profile/columns.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using testing::HasSubstr;
using testing::Not;

Profile sample() {
  Profile profile{.model = "net", .variant = "openvino.CPU f32 2t 1s b1", .bucket = "x[1,3]"};
  profile.request_time.record(1'000'000, 10);
  profile.unattributed_ns = 1'000'000;
  LayerProfile small{.name = "small", .type = "Relu", .share = 0.2};
  small.time.record(200'000, 10);
  LayerProfile large{.name = "large", .type = "Convolution", .share = 0.7};
  large.time.record(700'000, 10);
  large.work.flops = 7e6;
  large.thread_efficiency = 0.614;
  profile.layers = {small, large, {.name = "gone"}};
  return profile;
}

TEST(ProfileText, MostExpensiveFirstWithTotals) {
  const std::string text = to_text(sample());
  EXPECT_LT(text.find("large"), text.find("small"));
  EXPECT_THAT(text, HasSubstr("net as openvino.CPU f32 2t 1s b1, requests of x[1,3]"));
  EXPECT_THAT(text, HasSubstr("10.0"));  // GFLOP/s
  EXPECT_THAT(text, HasSubstr("61%"));
  EXPECT_THAT(text, HasSubstr("90.0%"));
  EXPECT_THAT(text, HasSubstr("in no layer"));
  EXPECT_THAT(text, Not(HasSubstr("gone")));
  EXPECT_THAT(text, HasSubstr("took no time of their own: 1"));
}

TEST(ProfileText, TopCutsAndTellsTheRest) {
  const std::string text = to_text(sample(), 1);
  EXPECT_THAT(text, Not(HasSubstr("small")));
  EXPECT_THAT(text, HasSubstr("1 more"));
}

TEST(ProfileText, ZeroMeansAllInOrderOfExecution) {
  const std::string text = to_text(sample(), 0);
  EXPECT_LT(text.find("small"), text.find("large"));
}

TEST(ProfileText, EmptyProfileSaysSo) {
  EXPECT_THAT(to_text({}), HasSubstr("no request was looked at"));
}

TEST(ProfileText, LostSpansAreTold) {
  Profile profile = sample();
  profile.dropped_spans = 12;
  EXPECT_THAT(to_text(profile), HasSubstr("12 spans were lost"));
}

TEST(ThreadsText, TellsWhatIsKnown) {
  Profile profile = sample();
  EXPECT_THAT(to_threads_text(profile), HasSubstr("no layer's threads are known"));
  profile.layers[1].threads = {
      .executions = 7, .busy_ns = 1e6, .participants = 2, .imbalance = 1.25, .idle_share = 0.31};
  const std::string text = to_threads_text(profile);
  EXPECT_THAT(text, HasSubstr("1.25"));
  EXPECT_THAT(text, HasSubstr("31%"));
  EXPECT_THAT(text, HasSubstr("large"));
  EXPECT_THAT(text, Not(HasSubstr("small")));
}

TEST(Columns, FillsAndCuts) {
  EXPECT_EQ(left("ab", 4), "ab  ");
  EXPECT_EQ(right("ab", 4), "  ab");
  EXPECT_EQ(left("abcde", 4), "abc…");
  EXPECT_EQ(shortened("ab", 4), "ab");
  EXPECT_EQ(left("ab", 0), "");
}

TEST(Columns, CountsCodePointsAndNeverSplitsOne) {
  EXPECT_EQ(left("größe", 6), "größe ");
  EXPECT_EQ(shortened("日本語の層", 4), "日本語…");
}

TEST(Columns, ShowsWhatIsNotTextAsQuestionMarks) {
  EXPECT_EQ(shortened("a\x1b[31m\n", 20), "a?[31m?");
  EXPECT_EQ(shortened("\xff\xc3", 20), "??");
  EXPECT_EQ(shortened("\xc2\x9b", 20), "?");        // a control character of two bytes
  EXPECT_EQ(shortened("\xed\xa0\x80", 20), "???");  // a surrogate
  EXPECT_EQ(shortened("\xf5\x80\x80\x80", 20), "????");
}

}  // namespace
}  // namespace tachostat::profile

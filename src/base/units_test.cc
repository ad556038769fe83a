#include "base/units.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace tachostat::base {
namespace {

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(*parse_duration("20ms"), std::chrono::milliseconds(20));
  EXPECT_EQ(*parse_duration("1.5us"), std::chrono::nanoseconds(1500));
  EXPECT_EQ(*parse_duration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(*parse_duration("0"), Duration::zero());
}

TEST(ParseDuration, RefusesWhatIsNotOneAndSaysWhatWasExpected) {
  for (const char* text :
       {"", "20", "ms", "-5ms", "20 ms", "5ms!", "nan", "inf", "1e400s", "1e30h"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
  const absl::Status status = parse_duration("20").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(message_of(status).find("20ms"), std::string_view::npos) << status;
}

TEST(ParseSize, KnowsDecimalAndBinary) {
  EXPECT_EQ(*parse_size("2GiB"), 2ULL << 30);
  EXPECT_EQ(*parse_size("1kB"), 1000u);
  EXPECT_FALSE(parse_size("2gb").ok());
}

TEST(ParsePercent, IsAShare) {
  EXPECT_DOUBLE_EQ(*parse_percent("1%"), 0.01);
  EXPECT_FALSE(parse_percent("0.01").ok());
}

TEST(ParsePower, IsInWatts) { EXPECT_DOUBLE_EQ(*parse_power_watts("500mW"), 0.5); }

TEST(Format, KeepsThreeFigures) {
  EXPECT_EQ(format_duration(std::chrono::nanoseconds(999)), "999ns");
  EXPECT_EQ(format_duration(std::chrono::microseconds(12345)), "12.3ms");
  EXPECT_EQ(format_duration(std::chrono::seconds(100)), "100s");
  EXPECT_EQ(format_size(1536.0), "1.50KiB");
  EXPECT_EQ(format_count(4.09e9), "4.09G");
}

}  // namespace
}  // namespace tachostat::base

#include "base/status.h"

#include <gtest/gtest.h>

namespace tachostat::base {
namespace {

absl::StatusOr<int> half(int value) {
  if (value % 2 != 0) return invalid_argument("{} is odd", value);
  return value / 2;
}

absl::StatusOr<int> quarter(int value) {
  TS_ASSIGN_OR_RETURN(const int first, half(value));
  TS_ASSIGN_OR_RETURN(const int second, half(first));
  return second;
}

TEST(Status, AssignOrReturnPassesValuesAndErrors) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).status(), invalid_argument("3 is odd"));
}

TEST(Status, ContextKeepsTheCode) {
  const absl::Status status = with_context(not_found("no file"), "loading 'm.onnx'");
  EXPECT_EQ(status, not_found("loading 'm.onnx': no file"));
  EXPECT_TRUE(with_context(absl::OkStatus(), "anything").ok());
}

}  // namespace
}  // namespace tachostat::base

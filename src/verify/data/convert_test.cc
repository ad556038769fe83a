#include "verify/data/convert.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace tachostat::verify {
namespace {

using model::DataType;
using testing::ElementsAre;
using testing::HasSubstr;

template <class To, class From>
std::vector<To> converted(DataType from, const std::vector<From>& in, DataType to) {
  std::vector<To> out(in.size());
  const auto fault =
      convert(from, std::as_bytes(std::span(in)), to, std::as_writable_bytes(std::span(out)));
  EXPECT_FALSE(fault.has_value()) << fault->what;
  return out;
}
template <class To, class From>
std::string fault_of(DataType from, const std::vector<From>& in, DataType to) {
  std::vector<To> out(in.size());
  const auto fault =
      convert(from, std::as_bytes(std::span(in)), to, std::as_writable_bytes(std::span(out)));
  return fault ? fmt::format("{} {}", fault->element, fault->what) : "";
}

TEST(Convert, RoundsDoublesAndWidensHalves) {
  EXPECT_THAT((converted<float>(DataType::kF64, std::vector<double>{0.1, -2}, DataType::kF32)),
              ElementsAre(0.1f, -2.0f));
  EXPECT_THAT((converted<float>(DataType::kF16, std::vector<std::uint16_t>{0x3c00, 0xc000},
                                DataType::kF32)),
              ElementsAre(1.0f, -2.0f));
}

TEST(Convert, KeepsWholeNumbersThatFit) {
  EXPECT_THAT(
      (converted<std::int32_t>(DataType::kI64, std::vector<std::int64_t>{-5, 7}, DataType::kI32)),
      ElementsAre(-5, 7));
  EXPECT_THAT(
      (converted<std::int64_t>(DataType::kBool, std::vector<std::uint8_t>{0, 1}, DataType::kI64)),
      ElementsAre(0, 1));
  EXPECT_EQ(
      (fault_of<std::uint8_t>(DataType::kI64, std::vector<std::int64_t>{5, 300}, DataType::kU8)),
      "1 is 300, which u8 cannot hold");
  EXPECT_EQ((fault_of<std::uint8_t>(DataType::kI8, std::vector<std::int8_t>{-1}, DataType::kU8)),
            "0 is -1, which u8 cannot hold");
  EXPECT_EQ(
      (fault_of<std::uint8_t>(DataType::kU8, std::vector<std::uint8_t>{0, 2}, DataType::kBool)),
      "1 is 2, which bool cannot hold");
}

TEST(Convert, FindsNanAndOverflowButKeepsInfinity) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ((fault_of<float>(DataType::kF64, std::vector<double>{1, nan}, DataType::kF32)),
            "1 is NaN");
  EXPECT_EQ(
      (fault_of<std::uint16_t>(DataType::kF16, std::vector<std::uint16_t>{0x7e00}, DataType::kF16)),
      "0 is NaN");
  EXPECT_THAT((fault_of<float>(DataType::kF64, std::vector<double>{1e300}, DataType::kF32)),
              HasSubstr("f32 cannot hold"));
  EXPECT_THAT((converted<float>(DataType::kF32, std::vector<float>{-infinity}, DataType::kF32)),
              ElementsAre(-infinity));
}

TEST(Convert, LeavesScalingToTheUser) {
  EXPECT_FALSE(can_convert(DataType::kU8, DataType::kF32));
  EXPECT_FALSE(can_convert(DataType::kF32, DataType::kI64));
  EXPECT_FALSE(can_convert(DataType::kF32, DataType::kF16));
  EXPECT_TRUE(can_convert(DataType::kF64, DataType::kF32));
}

}  // namespace
}  // namespace tachostat::verify

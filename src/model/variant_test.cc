#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "model/model.h"

namespace tachostat::model {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view json) {
  const absl::StatusOr<Variant> variant = variant_from_json(json);
  if (variant.ok()) return "no error";
  EXPECT_EQ(variant.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(base::message_of(variant.status()));
}

TEST(VariantTest, IdIsReadableAndUnique) {
  Variant variant{.precision = Precision::kF32, .threads = 2};
  EXPECT_EQ(variant.id(), "openvino.CPU f32 2t 1s b1");
  variant.shapes = {{"x", {1, 3, 48, 320}}};
  EXPECT_EQ(variant.id(), "openvino.CPU f32 2t 1s b1 x[1,3,48,320]");
  Variant pinned = variant;
  pinned.pinning = true;
  EXPECT_NE(pinned.id(), variant.id());
}

TEST(VariantTest, JsonRoundTrip) {
  const Variant variant{.engine = "onnxruntime",
                        .device = "GPU",
                        .precision = Precision::kBF16,
                        .threads = 4,
                        .streams = 2,
                        .batch = 8,
                        .pinning = true,
                        .shapes = {{"a", {1, 2}}, {"b \"quoted\"", {}}}};
  const absl::StatusOr<Variant> back = variant_from_json(to_json(variant));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, variant);
}

TEST(VariantTest, MissingMembersAreDefaults) {
  const absl::StatusOr<Variant> variant = variant_from_json("{}");
  ASSERT_TRUE(variant.ok());
  EXPECT_EQ(*variant, Variant{});
}

TEST(VariantTest, ErrorsNameTheMember) {
  EXPECT_THAT(error_of(""), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("{\"threads\": 1"), HasSubstr("not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("object"));
  EXPECT_THAT(error_of(R"({"thread": 1})"), HasSubstr("'thread'"));
  EXPECT_THAT(error_of(R"({"threads": "2"})"), HasSubstr("'threads'"));
  EXPECT_THAT(error_of(R"({"threads": 1.5})"), HasSubstr("'threads'"));
  EXPECT_THAT(error_of(R"({"threads": -1})"), HasSubstr("'threads'"));
  EXPECT_THAT(error_of(R"({"streams": 99999999999999999999})"), HasSubstr("'streams'"));
  EXPECT_THAT(error_of(R"({"batch": 0})"), HasSubstr("'batch'"));
  EXPECT_THAT(error_of(R"({"pinning": 1})"), HasSubstr("'pinning'"));
  EXPECT_THAT(error_of(R"({"engine": ""})"), HasSubstr("'engine'"));
  EXPECT_THAT(error_of(R"({"precision": "f8"})"), HasSubstr("'precision'"));
  EXPECT_THAT(error_of(R"({"shapes": [1]})"), HasSubstr("'shapes'"));
  EXPECT_THAT(error_of(R"({"shapes": {"x": 3}})"), HasSubstr("'shapes.x'"));
  EXPECT_THAT(error_of(R"({"shapes": {"x": [1, -1]}})"), HasSubstr("'shapes.x'"));
  EXPECT_THAT(error_of(R"({"shapes": {"x": [18446744073709551615]}})"), HasSubstr("'shapes.x'"));
}

TEST(PrecisionTest, NamesRoundTrip) {
  for (const Precision p :
       {Precision::kDefault, Precision::kF32, Precision::kBF16, Precision::kF16}) {
    EXPECT_EQ(*precision_of(name_of(p)), p);
  }
  EXPECT_FALSE(precision_of("").ok());
  EXPECT_FALSE(precision_of("F32").ok());
}

}  // namespace
}  // namespace tachostat::model

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/status.h"
#include "verify/verify.h"

namespace tachostat::verify {
namespace {

using engine::Tensor;
using model::DataType;
using testing::HasSubstr;

template <class T>
Tensor tensor(std::string name, DataType type, model::Shape shape, const std::vector<T>& values) {
  auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes->data(), values.data(), bytes->size());
  return {std::move(name), type, std::move(shape), *bytes, bytes};
}
Tensor f32(model::Shape shape, const std::vector<float>& values) {
  return tensor("y", DataType::kF32, std::move(shape), values);
}

Agreement agreement_of(const Tensor& reference, const Tensor& candidate) {
  Agreement agreement;
  const absl::Status status = compare({&reference, 1}, {&candidate, 1}, agreement);
  EXPECT_TRUE(status.ok()) << status;
  return agreement;
}

TEST(Compare, FindsTheSameTheSame) {
  const Tensor y = f32({2, 3}, {1, 2, 3, 6, 5, 4});
  const Agreement same = agreement_of(y, y);
  EXPECT_TRUE(same.bit_exact);
  EXPECT_TRUE(same.finite);
  EXPECT_EQ(same.samples, 1u);
  EXPECT_EQ(same.labels, 2u);
  EXPECT_EQ(same.label_agreement, 1);
  EXPECT_EQ(same.worst_cosine, 1);
  EXPECT_EQ(same.largest_difference, 0);
}

TEST(Compare, MeasuresDifferences) {
  const Agreement other = agreement_of(f32({2, 2}, {3, 0, 0, 4}), f32({2, 2}, {3, 0, 4, 0}));
  EXPECT_FALSE(other.bit_exact);
  EXPECT_NEAR(other.worst_cosine, 9.0 / 25.0, 1e-12);
  EXPECT_NEAR(other.largest_difference, 1, 1e-12);
  EXPECT_EQ(other.label_agreement, 0.5);
}

TEST(Compare, AddsUpOverRequests) {
  Agreement agreement;
  const Tensor good = f32({1, 2}, {1, 0});
  const Tensor bad = f32({1, 2}, {0, 1});
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(compare({&good, 1}, {i < 7 ? &bad : &good, 1}, agreement).ok());
  }
  EXPECT_EQ(agreement.samples, 30u);
  EXPECT_EQ(agreement.labels, 30u);
  EXPECT_NEAR(agreement.label_agreement, 23.0 / 30.0, 1e-12);
  EXPECT_EQ(agreement.worst_cosine, 0);
}

TEST(Compare, ReadsHalfPrecisions) {
  // 1, -2, smallest subnormal, largest
  const Tensor halfs = tensor<std::uint16_t>("y", DataType::kF16, {4}, {0x3c00, 0xc000, 1, 0x7bff});
  Agreement agreement;
  ASSERT_TRUE(compare({&halfs, 1}, {&halfs, 1}, agreement).ok());
  EXPECT_EQ(agreement.labels, 1u);
  const Tensor other = tensor<std::uint16_t>("y", DataType::kF16, {4}, {0x3c00, 0xc000, 1, 0x7800});
  EXPECT_NEAR(agreement_of(halfs, other).largest_difference, (65504.0 - 32768.0) / 65504.0, 1e-9);

  const Tensor brain = tensor<std::uint16_t>("y", DataType::kBF16, {2}, {0x3f80, 0x4000});  // 1, 2
  const Tensor near = tensor<std::uint16_t>("y", DataType::kBF16, {2}, {0x3f80, 0x4040});   // 1, 3
  EXPECT_NEAR(agreement_of(brain, near).largest_difference, 0.5, 1e-12);
}

TEST(Compare, TreatsIntegersAsNumbersWithoutLabels) {
  const Tensor a = tensor<std::int64_t>("y", DataType::kI64, {2}, {10, -20});
  const Tensor b = tensor<std::int64_t>("y", DataType::kI64, {2}, {10, -15});
  const Agreement agreement = agreement_of(a, b);
  EXPECT_EQ(agreement.largest_difference, 0.25);
  EXPECT_EQ(agreement.labels, 0u);
  EXPECT_FALSE(agreement.bit_exact);
}

TEST(Compare, ComparesUnknownNumbersBitForBit) {
  const Tensor a = tensor<std::uint8_t>("y", DataType::kU4, {3}, {0x21, 0x03});
  const Tensor b = tensor<std::uint8_t>("y", DataType::kU4, {3}, {0x21, 0x02});
  EXPECT_TRUE(agreement_of(a, a).bit_exact);
  EXPECT_EQ(agreement_of(a, b).worst_cosine, 0);
}

TEST(Compare, NoticesWhatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const Agreement broken = agreement_of(f32({3}, {1, 2, 3}), f32({3}, {1, nan, 3}));
  EXPECT_FALSE(broken.finite);
  EXPECT_EQ(broken.worst_cosine, 0);
  EXPECT_EQ(broken.label_agreement, 0);
  // The same mask on both sides is no fault.
  const Agreement masked = agreement_of(f32({3}, {1, -infinity, 3}), f32({3}, {1, -infinity, 3}));
  EXPECT_TRUE(masked.finite);
  EXPECT_EQ(masked.worst_cosine, 1);
  // The reference overflowed, the candidate did not: different, but finite.
  const Agreement mended = agreement_of(f32({3}, {1, infinity, 3}), f32({3}, {1, 9, 3}));
  EXPECT_TRUE(mended.finite);
  EXPECT_EQ(mended.largest_difference, infinity);
}

TEST(Compare, SurvivesExtremeNumbers) {
  const double huge = std::numeric_limits<double>::max();
  const Tensor a = tensor<double>("y", DataType::kF64, {2}, {huge, huge});
  const Tensor b = tensor<double>("y", DataType::kF64, {2}, {huge, huge / 2});
  EXPECT_NEAR(agreement_of(a, b).worst_cosine, 1.5 / std::sqrt(2.5), 1e-12);
  EXPECT_NEAR(agreement_of(a, b).largest_difference, 0.5, 1e-12);
  // All zero against something.
  EXPECT_EQ(agreement_of(f32({2}, {0, 0}), f32({2}, {0, 1})).worst_cosine, 0);
  EXPECT_EQ(agreement_of(f32({0, 5}, {}), f32({0, 5}, {})).labels, 0u);
  EXPECT_EQ(agreement_of(f32({}, {1}), f32({}, {1})).labels, 0u);
}

TEST(Compare, MatchesByName) {
  Tensor a = f32({2}, {1, 2});
  Tensor b = f32({2}, {5, 1});
  b.name = "z";
  const std::vector<Tensor> reference = {a, b};
  const std::vector<Tensor> candidate = {b, a};
  Agreement agreement;
  ASSERT_TRUE(compare(reference, candidate, agreement).ok());
  EXPECT_TRUE(agreement.bit_exact);
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  Agreement agreement;
  const auto refuse = [&](const Tensor& a, const Tensor& b) {
    const absl::Status status = compare({&a, 1}, {&b, 1}, agreement);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(base::message_of(status));
  };
  const Tensor a = f32({2}, {1, 2});
  Tensor named = a;
  named.name = "z";
  EXPECT_THAT(refuse(a, named), HasSubstr("no output 'y'"));
  EXPECT_THAT(refuse(a, f32({2, 1}, {1, 2})), HasSubstr("expected f32 [2]"));
  EXPECT_THAT(refuse(a, tensor<std::int32_t>("y", DataType::kI32, {2}, {1, 2})),
              HasSubstr("found i32"));
  EXPECT_THAT(refuse(a, f32({2}, {1})), HasSubstr("4 bytes do not hold f32 [2]"));
  const model::Shape hostile = {INT64_MAX, INT64_MAX};
  EXPECT_THAT(refuse(f32(hostile, {1}), f32(hostile, {1})), HasSubstr("4 bytes do not hold"));
  EXPECT_FALSE(compare({&a, 1}, {}, agreement).ok());
  EXPECT_EQ(agreement.samples, 0u);
  EXPECT_TRUE(agreement.bit_exact);
}

TEST(DropBound, IsClopperPearson) {
  Agreement agreement;
  EXPECT_EQ(agreement.drop_bound(), 1);  // nothing seen, nothing proved
  agreement.labels = 300;
  EXPECT_NEAR(agreement.drop_bound(), 1 - std::pow(0.05, 1.0 / 300), 1e-9);  // the rule of three
  agreement.labels = 20;
  agreement.label_agreement = 18.0 / 20.0;
  // P(at most 2 of 20) at the bound is 5 %.
  const double p = agreement.drop_bound();
  const double q = 1 - p;
  EXPECT_NEAR(std::pow(q, 20) + 20 * p * std::pow(q, 19) + 190 * p * p * std::pow(q, 18), 0.05,
              1e-9);
  agreement.label_agreement = 0;
  EXPECT_EQ(agreement.drop_bound(), 1);
}

TEST(DropBound, CoversTheTruthNineteenTimesInTwenty) {
  std::mt19937_64 random(1);
  std::binomial_distribution<int> differing(200, 0.03);
  int covered = 0;
  for (int i = 0; i < 2000; ++i) {
    Agreement agreement;
    agreement.labels = 200;
    agreement.label_agreement = 1 - differing(random) / 200.0;
    covered += agreement.drop_bound() >= 0.03;
  }
  EXPECT_GE(covered, 1900 - 30);
}

}  // namespace
}  // namespace tachostat::verify

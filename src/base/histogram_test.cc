#include "base/histogram.h"

#include <gtest/gtest.h>

#include <random>

namespace tachostat::base {
namespace {

TEST(Histogram, BucketsCoverEveryValueOnce) {
  for (std::uint32_t bucket = 0; bucket < 1000; ++bucket) {
    const std::uint64_t low = Histogram::lower_bound_of(bucket);
    EXPECT_EQ(Histogram::bucket_of(low), bucket);
    if (low > 0) {
      EXPECT_EQ(Histogram::bucket_of(low - 1), bucket - 1);
    }
  }
}

TEST(Histogram, CountsWhatIsNotAbove) {
  Histogram histogram;
  EXPECT_EQ(histogram.count_up_to(10), 0U);
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value * 1000);
  EXPECT_EQ(histogram.count_up_to(999), 0U);
  EXPECT_EQ(histogram.count_up_to(100'000), 100U);
  EXPECT_NEAR(static_cast<double>(histogram.count_up_to(50'000)), 50, 3);
}

TEST(Histogram, QuantilesAreWithinTheBound) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(16, 1);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(static_cast<std::uint64_t>(latency(random)));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(q * 20000) - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), exact, exact / 32) << q;
  }
  EXPECT_EQ(histogram.quantile(0), histogram.min());
  EXPECT_EQ(histogram.quantile(1), values.back());
}

TEST(Histogram, EmptyIsZeroEverywhere) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, MergeEqualsRecordingBoth) {
  Histogram a, b, both;
  for (std::uint64_t i = 1; i < 500; ++i) {
    (i % 3 == 0 ? a : b).record(i * i);
    both.record(i * i);
  }
  a.merge(b);
  EXPECT_EQ(a.buckets(), both.buckets());
  EXPECT_EQ(a.sum(), both.sum());
  EXPECT_EQ(a.min(), both.min());
  EXPECT_EQ(a.max(), both.max());
}

TEST(Histogram, SurvivesAFile) {
  Histogram histogram;
  for (const std::uint64_t value : {0ULL, 31ULL, 32ULL, 1000000ULL, ~0ULL}) histogram.record(value);
  const Histogram copy = Histogram::from_buckets(histogram.buckets(), histogram.min(),
                                                 histogram.max(), histogram.sum());
  EXPECT_EQ(copy.buckets(), histogram.buckets());
  EXPECT_EQ(copy.max(), ~0ULL);
  // A hostile index must not allocate without bound.
  EXPECT_EQ(Histogram::from_buckets({{0xffffffffu, 1}}, 0, 0, 0).count(), 0u);
}

}  // namespace
}  // namespace tachostat::base

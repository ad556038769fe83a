#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "profile/kernels.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

TEST(Roofline, MeasuresEverythingWithOneThread) {
  const Roofline roofline = measure_roofline(1, 8);
  EXPECT_EQ(roofline.threads, 1);
  EXPECT_GT(roofline.peak_f32_flops, 0);
  EXPECT_EQ(roofline.single_f32_flops, roofline.peak_f32_flops);
  EXPECT_GT(roofline.memory_bandwidth, 0);
  EXPECT_GT(roofline.cache_bandwidth, 0);
}

TEST(Roofline, MeasuresWithSeveralThreads) {
  const Roofline roofline = measure_roofline(2, 8);
  EXPECT_EQ(roofline.threads, 2);
  EXPECT_GT(roofline.peak_f32_flops, 0);
  EXPECT_GT(roofline.single_f32_flops, 0);
  EXPECT_GT(roofline.memory_bandwidth, 0);
}

TEST(Roofline, OddArgumentsAreTakenAsTheNearestGoodOnes) {
  const Roofline roofline = measure_roofline(-3, -5);
  EXPECT_EQ(roofline.threads, 1);
  EXPECT_GT(roofline.peak_f32_flops, 0);
}

TEST(Kernels, TriadComputesEveryElement) {
  constexpr std::size_t kSize = 1003;  // no multiple of any vector
  std::vector<float> a(kSize);
  std::vector<float> b(kSize, 1.0F);
  std::vector<float> c(kSize);
  for (std::size_t i = 0; i < kSize; ++i) c[i] = static_cast<float>(i);
  triad_kernel()(a.data(), b.data(), c.data(), kSize);
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(a[i], 1.0F + 3.0F * static_cast<float>(i));
}

TEST(Kernels, MultiplyAddStaysFinite) {
  const FmaKernel kernel = fma_kernel();
  EXPECT_GT(kernel.flops_per_round, 0);
  EXPECT_TRUE(std::isfinite(kernel.run(100'000)));
  EXPECT_GT(kernel.run(100'000), 0);
}

}  // namespace
}  // namespace tachostat::profile

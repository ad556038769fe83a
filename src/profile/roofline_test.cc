#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "profile/peaks.h"
#include "profile/pool.h"
#include "profile/profile.h"
#include "profile/streams.h"

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
  for (const auto& sets : {instruction_sets(this_processor()), std::vector<InstructionSet>()}) {
    std::fill(a.begin(), a.end(), -1.0F);
    triad_kernel(sets)(a.data(), b.data(), c.data(), kSize);
    for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(a[i], 1.0F + 3.0F * static_cast<float>(i));
  }
}

TEST(Kernels, ReadSeesEveryElement) {
  const Pages memory(4096);
  ASSERT_NE(memory.data(), nullptr);
  for (const auto& sets : {instruction_sets(this_processor()), std::vector<InstructionSet>()}) {
    EXPECT_EQ(read_kernel(sets)(memory.data(), 1024), 0.0F);
    memory.data()[1008] = 5;  // in the first lane of each kind of vector
    EXPECT_EQ(read_kernel(sets)(memory.data(), 1024), 5.0F);
    memory.data()[1008] = 0;
  }
}

TEST(Kernels, EveryPeakLoopRunsAndEnds) {
  for (const auto& sets : {instruction_sets(this_processor()), std::vector<InstructionSet>()}) {
    const std::vector<PeakKernel> kernels = peak_kernels(sets);
    ASSERT_FALSE(kernels.empty());
    for (const PeakKernel& kernel : kernels) {
      EXPECT_GT(kernel.operations, 0) << kernel.instructions;
      EXPECT_TRUE(std::isfinite(kernel.run(1000))) << kernel.instructions;
    }
  }
}

}  // namespace
}  // namespace tachostat::profile

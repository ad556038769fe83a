#include "profile/peaks.h"

#include <array>

#include "profile/peaks_arm.h"
#include "profile/peaks_x86.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kChains = 12;
constexpr std::size_t kLanes = 4;

// What the compiler makes of it for the oldest processor of the architecture.
float multiply_add(std::size_t rounds) {
  std::array<float, kChains * kLanes> x;
  x.fill(0.5F);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (float& one : x) one = one * 0.75F + 0.25F;
  }
  float sum = 0;
  for (const float one : x) sum += one;
  return sum;
}

}  // namespace

std::vector<PeakKernel> peak_kernels(const std::vector<InstructionSet>& sets) {
  std::vector<PeakKernel> kernels;
  add_x86_peaks(sets, kernels);
  add_arm_peaks(sets, kernels);
  if (kernels.empty()) {
    kernels.push_back({"f32", "portable", 2.0 * kChains * kLanes, 0, "", multiply_add});
  }
  return kernels;
}

void run_chain(std::size_t rounds) {
  std::uint64_t x = 1;  // kept over the rounds, else one would overlap the next
#if defined(__x86_64__) || defined(__aarch64__)
  const std::uint64_t step = 1;
#endif
  for (std::size_t round = 0; round < rounds; ++round) {
#if defined(__x86_64__)
    // Register to register: newer processors add small constants without spending a cycle.
    asm volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(x) : "r"(step) : "cc");
#elif defined(__aarch64__)
    asm volatile(".rept 64\n\tadd %0, %0, %1\n\t.endr" : "+r"(x) : "r"(step));
#else
    for (int i = 0; i < 64; ++i) {
      ++x;
      asm volatile("" : "+r"(x));
    }
#endif
  }
}

}  // namespace tachostat::profile

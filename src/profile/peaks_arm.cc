#include "profile/peaks_arm.h"

#if defined(__aarch64__)

#include <arm_neon.h>

namespace tachostat::profile {
namespace {

// Up to four units of four cycles: sixteen in flight.
#define TS_SIXTEEN(DO) \
  DO(0)                \
  DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
constexpr double kChains = 16;

// Assembly: the compiler can leave nothing out.
#define TS_ASM_LOOP(TYPE)                                \
  TYPE a = {};                                           \
  TYPE b = {};                                           \
  TS_SIXTEEN(TS_START)                                   \
  for (std::size_t round = 0; round < rounds; ++round) { \
    TS_SIXTEEN(TS_STEP)                                  \
  }                                                      \
  float32x4_t sum = {};                                  \
  TS_SIXTEEN(TS_SUM)                                     \
  return vaddvq_f32(sum);

#define TS_START(i) float32x4_t x##i = {};
#define TS_SUM(i) sum = vaddq_f32(sum, x##i);

#define TS_STEP(i) asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(x##i) : "w"(a), "w"(b));
float fma_f32(std::size_t rounds) { TS_ASM_LOOP(float32x4_t) }
#undef TS_STEP

#define TS_STEP(i) asm volatile("fmla %0.8h, %1.8h, %2.8h" : "+w"(x##i) : "w"(a), "w"(b));
__attribute__((target("arch=armv8.2-a+fp16"))) float fma_f16(std::size_t rounds) {
  TS_ASM_LOOP(float32x4_t)
}
#undef TS_STEP

#define TS_STEP(i) asm volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(x##i) : "w"(a), "w"(b));
__attribute__((target("arch=armv8.2-a+dotprod"))) float dot_int8(std::size_t rounds) {
  TS_ASM_LOOP(float32x4_t)
}
#undef TS_STEP

#define TS_STEP(i) asm volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(x##i) : "w"(a), "w"(b));
__attribute__((target("arch=armv8.6-a"))) float matrix_int8(std::size_t rounds) {
  TS_ASM_LOOP(float32x4_t)
}
#undef TS_STEP

#define TS_STEP(i) asm volatile("bfmmla %0.4s, %1.8h, %2.8h" : "+w"(x##i) : "w"(a), "w"(b));
__attribute__((target("arch=armv8.6-a"))) float matrix_bf16(std::size_t rounds) {
  TS_ASM_LOOP(float32x4_t)
}
#undef TS_STEP

constexpr std::string_view kUnits = "Arm's cores differ in the number of their units";

}  // namespace

// SVE's vectors are no wider than these on the processors that matter here (Neoverse N2 and V2,
// Cortex-X), and the units are the same ones.
void add_arm_peaks(const std::vector<InstructionSet>& sets, std::vector<PeakKernel>& kernels) {
  kernels.push_back({"f32", "fmla asimd", kChains * 8, 0, kUnits, fma_f32});
  if (has(sets, "asimdhp")) {
    kernels.push_back({"f16", "fmla asimdhp", kChains * 16, 0, kUnits, fma_f16});
  }
  if (has(sets, "asimddp")) {
    kernels.push_back({"int8", "sdot asimddp", kChains * 32, 0, kUnits, dot_int8});
  }
  if (has(sets, "i8mm")) {
    kernels.push_back({"int8", "smmla i8mm", kChains * 64, 0, kUnits, matrix_int8});
  }
  if (has(sets, "bf16")) {
    kernels.push_back({"bf16", "bfmmla bf16", kChains * 32, 0, kUnits, matrix_bf16});
  }
}

}  // namespace tachostat::profile

#else

namespace tachostat::profile {

void add_arm_peaks(const std::vector<InstructionSet>&, std::vector<PeakKernel>&) {}

}  // namespace tachostat::profile

#endif

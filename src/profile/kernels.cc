#include "profile/kernels.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tachostat::profile {
namespace {

// x = x * kFactor + kTerm stays near 1, away from slow denormals and infinities.
constexpr float kFactor = 0.75F;
constexpr float kTerm = 0.25F;

// Latency of a multiply-add (4 cycles) times two units is 8 in flight; a few more hide the rest.
constexpr std::size_t kChains = 12;
constexpr std::size_t kLanes = 4;  // of the portable loop

float fma_portable(std::size_t rounds) {
  std::array<float, kChains * kLanes> x;
  x.fill(0.5F);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (float& one : x) one = one * kFactor + kTerm;
  }
  float sum = 0;
  for (const float one : x) sum += one;
  return sum;
}

void triad_portable(float* a, const float* b, const float* c, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 3.0F * c[i];
}

#if defined(__x86_64__)

// Twelve names rather than an array: the compiler then keeps each in a register of its own.
#define TS_TWELVE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

__attribute__((target("avx2,fma"))) float fma_avx2(std::size_t rounds) {
  const __m256 factor = _mm256_set1_ps(kFactor);
  const __m256 term = _mm256_set1_ps(kTerm);
#define TS_START(i) __m256 x##i = _mm256_set1_ps(0.5F + 0.01F * i);
  TS_TWELVE(TS_START)
#undef TS_START
  for (std::size_t round = 0; round < rounds; ++round) {
#define TS_STEP(i) x##i = _mm256_fmadd_ps(x##i, factor, term);
    TS_TWELVE(TS_STEP)
#undef TS_STEP
  }
  __m256 sum = _mm256_setzero_ps();
#define TS_ADD(i) sum = _mm256_add_ps(sum, x##i);
  TS_TWELVE(TS_ADD)
#undef TS_ADD
  alignas(32) std::array<float, 8> lanes;
  _mm256_store_ps(lanes.data(), sum);
  float total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

__attribute__((target("avx512f"))) float fma_avx512(std::size_t rounds) {
  const __m512 factor = _mm512_set1_ps(kFactor);
  const __m512 term = _mm512_set1_ps(kTerm);
#define TS_START(i) __m512 x##i = _mm512_set1_ps(0.5F + 0.01F * i);
  TS_TWELVE(TS_START)
#undef TS_START
  for (std::size_t round = 0; round < rounds; ++round) {
#define TS_STEP(i) x##i = _mm512_fmadd_ps(x##i, factor, term);
    TS_TWELVE(TS_STEP)
#undef TS_STEP
  }
  __m512 sum = _mm512_setzero_ps();
#define TS_ADD(i) sum = _mm512_add_ps(sum, x##i);
  TS_TWELVE(TS_ADD)
#undef TS_ADD
  alignas(64) std::array<float, 16> lanes;
  _mm512_store_ps(lanes.data(), sum);
  float total = 0;
  for (const float lane : lanes) total += lane;
  return total;
}

#undef TS_TWELVE

__attribute__((target("avx2,fma"))) void triad_avx2(float* a, const float* b, const float* c,
                                                    std::size_t n) {
  const __m256 three = _mm256_set1_ps(3.0F);
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(a + i, _mm256_fmadd_ps(three, _mm256_loadu_ps(c + i), _mm256_loadu_ps(b + i)));
  }
  triad_portable(a + i, b + i, c + i, n - i);
}

__attribute__((target("avx512f"))) void triad_avx512(float* a, const float* b, const float* c,
                                                     std::size_t n) {
  const __m512 three = _mm512_set1_ps(3.0F);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm512_storeu_ps(a + i, _mm512_fmadd_ps(three, _mm512_loadu_ps(c + i), _mm512_loadu_ps(b + i)));
  }
  triad_portable(a + i, b + i, c + i, n - i);
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0; }
bool has_avx2() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

#endif

}  // namespace

FmaKernel fma_kernel() {
#if defined(__x86_64__)
  if (has_avx512()) return {fma_avx512, 2.0 * kChains * 16};
  if (has_avx2()) return {fma_avx2, 2.0 * kChains * 8};
#endif
  return {fma_portable, 2.0 * kChains * kLanes};
}

TriadKernel triad_kernel() {
#if defined(__x86_64__)
  if (has_avx512()) return triad_avx512;
  if (has_avx2()) return triad_avx2;
#endif
  return triad_portable;
}

}  // namespace tachostat::profile

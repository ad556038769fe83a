#include "profile/streams.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tachostat::profile {
namespace {

float read_portable(const float* from, std::size_t n) {
  std::array<float, 16> sums{};
  for (std::size_t i = 0; i < n; i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += from[i + lane];
  }
  float sum = 0;
  for (const float one : sums) sum += one;
  return sum;
}

void triad_portable(float* a, const float* b, const float* c, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 3.0F * c[i];
}

#if defined(__x86_64__)

template <class Vector>
float first_of(const Vector& sum) {
  float first = 0;
  std::memcpy(&first, &sum, sizeof first);
  return first;
}

__attribute__((target("avx2"))) float read_avx2(const float* from, std::size_t n) {
  __m256 sums[8] = {};
  for (std::size_t i = 0; i < n; i += 64) {
#pragma GCC unroll 8
    for (std::size_t lane = 0; lane < 8; ++lane) {
      sums[lane] = _mm256_add_ps(sums[lane], _mm256_load_ps(from + i + 8 * lane));
    }
  }
  for (std::size_t lane = 1; lane < 8; ++lane) sums[0] = _mm256_add_ps(sums[0], sums[lane]);
  return first_of(sums[0]);
}

__attribute__((target("avx512f"))) float read_avx512(const float* from, std::size_t n) {
  __m512 sums[4] = {};
  for (std::size_t i = 0; i < n; i += 64) {
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < 4; ++lane) {
      sums[lane] = _mm512_add_ps(sums[lane], _mm512_load_ps(from + i + 16 * lane));
    }
  }
  for (std::size_t lane = 1; lane < 4; ++lane) sums[0] = _mm512_add_ps(sums[0], sums[lane]);
  return first_of(sums[0]);
}

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

#endif

}  // namespace

ReadKernel read_kernel([[maybe_unused]] const std::vector<InstructionSet>& sets) {
#if defined(__x86_64__)
  if (has(sets, "avx512f")) return read_avx512;
  if (has(sets, "avx2")) return read_avx2;
#endif
  return read_portable;
}

TriadKernel triad_kernel([[maybe_unused]] const std::vector<InstructionSet>& sets) {
#if defined(__x86_64__)
  if (has(sets, "avx512f")) return triad_avx512;
  if (has(sets, "avx2") && has(sets, "fma")) return triad_avx2;
#endif
  return triad_portable;
}

}  // namespace tachostat::profile

#include "profile/peaks_x86.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace tachostat::profile {
namespace {

// A multiply-add takes four cycles and there are two units: eight in flight, and some more to hide
// the rest. Names rather than an array: the compiler then keeps each in a register of its own.
#define TS_TWELVE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
constexpr double kChains = 12;

// x = x * 0.75 + 0.25 stays near 1, away from slow denormals and infinities.
#define TS_LOOP(TYPE, START, STEP, SUM)                  \
  TS_TWELVE(START)                                       \
  for (std::size_t round = 0; round < rounds; ++round) { \
    TS_TWELVE(STEP)                                      \
  }                                                      \
  TYPE sum = x0;                                         \
  SUM(x1) SUM(x2) SUM(x3) SUM(x4) SUM(x5) SUM(x6) SUM(x7) SUM(x8) SUM(x9) SUM(x10) SUM(x11)

// The first bytes of the sum, as a number: good for nothing but being used.
template <class Vector>
float used(const Vector& sum) {
  float first = 0;
  std::memcpy(&first, &sum, sizeof first);
  return first;
}

__attribute__((target("avx2,fma"))) float fma_avx2(std::size_t rounds) {
  const __m256 factor = _mm256_set1_ps(0.75F);
  const __m256 term = _mm256_set1_ps(0.25F);
#define TS_START(i) __m256 x##i = _mm256_set1_ps(0.5F + 0.01F * i);
#define TS_STEP(i) x##i = _mm256_fmadd_ps(x##i, factor, term);
#define TS_SUM(x) sum = _mm256_add_ps(sum, x);
  TS_LOOP(__m256, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

__attribute__((target("avx512f"))) float fma_avx512(std::size_t rounds) {
  const __m512 factor = _mm512_set1_ps(0.75F);
  const __m512 term = _mm512_set1_ps(0.25F);
#define TS_START(i) __m512 x##i = _mm512_set1_ps(0.5F + 0.01F * i);
#define TS_STEP(i) x##i = _mm512_fmadd_ps(x##i, factor, term);
#define TS_SUM(x) sum = _mm512_add_ps(sum, x);
  TS_LOOP(__m512, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

__attribute__((target("avx512fp16,avx512f"))) float fma_f16(std::size_t rounds) {
  const __m512h factor = _mm512_set1_ph(static_cast<_Float16>(0.75F));
  const __m512h term = _mm512_set1_ph(static_cast<_Float16>(0.25F));
#define TS_START(i) __m512h x##i = _mm512_set1_ph(static_cast<_Float16>(0.5F + 0.01F * i));
#define TS_STEP(i) x##i = _mm512_fmadd_ph(x##i, factor, term);
#define TS_SUM(x) sum = _mm512_add_ph(sum, x);
  TS_LOOP(__m512h, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

// Sums of products of zeros stay zero; the units take as long over them.
__attribute__((target("avx512bf16,avx512f"))) float dot_bf16(std::size_t rounds) {
  const auto zero = (__m512bh)_mm512_setzero_si512();
#define TS_START(i) __m512 x##i = _mm512_set1_ps(0.01F * i);
#define TS_STEP(i) x##i = _mm512_dpbf16_ps(x##i, zero, zero);
#define TS_SUM(x) sum = _mm512_add_ps(sum, x);
  TS_LOOP(__m512, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

// Before VNNI: bytes multiply to pairs in 16 bits, pairs add up to 32 bits, and on to the sum. In
// assembly, else the compiler would take one product for all.
__attribute__((target("avx2"))) float madd_avx2(std::size_t rounds) {
  __m256i product;
  const __m256i a = _mm256_set1_epi8(1);
  const __m256i b = _mm256_set1_epi8(1);
  const __m256i ones = _mm256_set1_epi16(1);
#define TS_START(i) __m256i x##i = _mm256_set1_epi32(i);
#define TS_STEP(i)                                                                 \
  asm volatile("vpmaddubsw %2, %3, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0" \
               : "+x"(x##i), "=&x"(product)                                        \
               : "x"(a), "x"(b), "x"(ones));
#define TS_SUM(x) sum = _mm256_add_epi32(sum, x);
  TS_LOOP(__m256i, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

__attribute__((target("avx512bw,avx512f"))) float madd_avx512(std::size_t rounds) {
  __m512i product;
  const __m512i a = _mm512_set1_epi8(1);
  const __m512i b = _mm512_set1_epi8(1);
  const __m512i ones = _mm512_set1_epi16(1);
#define TS_START(i) __m512i x##i = _mm512_set1_epi32(i);
#define TS_STEP(i)                                                                 \
  asm volatile("vpmaddubsw %2, %3, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0" \
               : "+v"(x##i), "=&v"(product)                                        \
               : "v"(a), "v"(b), "v"(ones));
#define TS_SUM(x) sum = _mm512_add_epi32(sum, x);
  TS_LOOP(__m512i, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

__attribute__((target("avxvnni,avx2"))) float dot_avx_vnni(std::size_t rounds) {
  const __m256i ones = _mm256_set1_epi8(1);
#define TS_START(i) __m256i x##i = _mm256_set1_epi32(i);
#define TS_STEP(i) asm volatile("%{vex%} vpdpbusd %1, %1, %0" : "+x"(x##i) : "x"(ones));
#define TS_SUM(x) sum = _mm256_add_epi32(sum, x);
  TS_LOOP(__m256i, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

__attribute__((target("avx512vnni,avx512f"))) float dot_vnni(std::size_t rounds) {
  const __m512i ones = _mm512_set1_epi8(1);
#define TS_START(i) __m512i x##i = _mm512_set1_epi32(i);
#define TS_STEP(i) asm volatile("vpdpbusd %1, %1, %0" : "+v"(x##i) : "v"(ones));
#define TS_SUM(x) sum = _mm512_add_epi32(sum, x);
  TS_LOOP(__m512i, TS_START, TS_STEP, TS_SUM)
#undef TS_START
#undef TS_STEP
#undef TS_SUM
  return used(sum);
}

// Eight tiles of 16 rows by 64 bytes: four sums, two of each factor.
struct alignas(64) TileLayout {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved{};
  std::array<std::uint16_t, 16> row_bytes{64, 64, 64, 64, 64, 64, 64, 64};
  std::array<std::uint8_t, 16> rows{16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileLayout) == 64);
constexpr double kTiles = 4;

__attribute__((target("amx-tile"))) void zero_tiles() {
  const TileLayout layout;
  _tile_loadconfig(&layout);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
}

__attribute__((target("amx-tile"))) float first_of_tile() {
  std::array<float, 256> tile{};
  _tile_stored(0, tile.data(), 64);
  _tile_release();
  return tile[0];
}

__attribute__((target("amx-tile,amx-int8"))) float tiles_int8(std::size_t rounds) {
  zero_tiles();
  for (std::size_t round = 0; round < rounds; ++round) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  return first_of_tile();
}

__attribute__((target("amx-tile,amx-bf16"))) float tiles_bf16(std::size_t rounds) {
  zero_tiles();
  for (std::size_t round = 0; round < rounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  return first_of_tile();
}

// Linux keeps tile registers from a process until it asks (arch/x86 documentation, xstate).
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

void add_x86_peaks(const std::vector<InstructionSet>& sets, std::vector<PeakKernel>& kernels) {
  // Units per cycle: Intel's optimisation manual and AMD's, Zen 2 and later. Processors with half
  // as many 512-bit units (Intel's client ones, Zen 4) reach half of the theory.
  if (has(sets, "avx2") && has(sets, "fma")) {
    kernels.push_back({"f32", "fma avx2", kChains * 16, 32, "2 × 8 multiply-adds", fma_avx2});
  }
  if (has(sets, "avx512f")) {
    kernels.push_back({"f32", "fma avx512f", kChains * 32, 64, "2 × 16 multiply-adds", fma_avx512});
  }
  if (has(sets, "avx512_fp16")) {
    kernels.push_back(
        {"f16", "fma avx512_fp16", kChains * 64, 128, "2 × 32 multiply-adds", fma_f16});
  }
  if (has(sets, "avx512_bf16")) {
    kernels.push_back({"bf16", "dot avx512_bf16", kChains * 64, 0,
                       "processors differ in the units for this", dot_bf16});
  }
  if (has(sets, "avx2")) {
    kernels.push_back({"int8", "madd avx2", kChains * 64, 64,
                       "32 multiply-adds by three instructions, two of them multiplications",
                       madd_avx2});
  }
  if (has(sets, "avx512bw")) {
    kernels.push_back({"int8", "madd avx512bw", kChains * 128, 128,
                       "64 multiply-adds by three instructions, two of them multiplications",
                       madd_avx512});
  }
  if (has(sets, "avx_vnni")) {
    kernels.push_back(
        {"int8", "dot avx_vnni", kChains * 64, 128, "2 × 32 multiply-adds", dot_avx_vnni});
  }
  if (has(sets, "avx512_vnni")) {
    kernels.push_back(
        {"int8", "dot avx512_vnni", kChains * 128, 256, "2 × 64 multiply-adds", dot_vnni});
  }
  if (!has(sets, "amx_tile") || !may_use_tiles()) return;
  if (has(sets, "amx_bf16")) {
    kernels.push_back({"bf16", "tiles amx_bf16", kTiles * 16 * 16 * 32 * 2, 1024,
                       "a tile's 8192 multiply-adds in 16 cycles", tiles_bf16});
  }
  if (has(sets, "amx_int8")) {
    kernels.push_back({"int8", "tiles amx_int8", kTiles * 16 * 16 * 64 * 2, 2048,
                       "a tile's 16384 multiply-adds in 16 cycles", tiles_int8});
  }
}

}  // namespace tachostat::profile

#else

namespace tachostat::profile {

void add_x86_peaks(const std::vector<InstructionSet>&, std::vector<PeakKernel>&) {}

}  // namespace tachostat::profile

#endif

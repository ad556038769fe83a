#include "profile/isa.h"

#include <algorithm>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace tachostat::profile {
namespace {

// Bits of XCR0: the parts of the registers that the system saves.
constexpr std::uint64_t kNone = 0;
constexpr std::uint64_t kYmm = 0x6;
constexpr std::uint64_t kZmm = 0xe6;
constexpr std::uint64_t kTiles = 0x60000;

enum Register : std::uint8_t { kEax, kEbx, kEcx, kEdx };

struct X86Bit {
  std::string_view name;
  std::uint32_t leaf, subleaf;
  Register where;
  int bit;
  std::uint64_t state;
};

constexpr std::array kX86 = {
    X86Bit{"sse4_2", 1, 0, kEcx, 20, kNone},      X86Bit{"avx", 1, 0, kEcx, 28, kYmm},
    X86Bit{"f16c", 1, 0, kEcx, 29, kYmm},         X86Bit{"fma", 1, 0, kEcx, 12, kYmm},
    X86Bit{"avx2", 7, 0, kEbx, 5, kYmm},          X86Bit{"avx512f", 7, 0, kEbx, 16, kZmm},
    X86Bit{"avx512dq", 7, 0, kEbx, 17, kZmm},     X86Bit{"avx512bw", 7, 0, kEbx, 30, kZmm},
    X86Bit{"avx512vl", 7, 0, kEbx, 31, kZmm},     X86Bit{"avx512_vbmi", 7, 0, kEcx, 1, kZmm},
    X86Bit{"avx512_vnni", 7, 0, kEcx, 11, kZmm},  X86Bit{"avx512_bf16", 7, 1, kEax, 5, kZmm},
    X86Bit{"avx512_fp16", 7, 0, kEdx, 23, kZmm},  X86Bit{"avx_vnni", 7, 1, kEax, 4, kYmm},
    X86Bit{"avx_vnni_int8", 7, 1, kEdx, 4, kYmm}, X86Bit{"avx_ne_convert", 7, 1, kEdx, 5, kYmm},
    X86Bit{"amx_tile", 7, 0, kEdx, 24, kTiles},   X86Bit{"amx_int8", 7, 0, kEdx, 25, kTiles},
    X86Bit{"amx_bf16", 7, 0, kEdx, 22, kTiles},   X86Bit{"amx_fp16", 7, 1, kEax, 21, kTiles},
    X86Bit{"avx10", 7, 1, kEdx, 19, kZmm},
};

struct ArmBit {
  std::string_view name;
  int word;  // 1: hwcap, 2: hwcap2
  int bit;
};

constexpr std::array kArm = {
    ArmBit{"asimd", 1, 1},    ArmBit{"asimdhp", 1, 10}, ArmBit{"asimddp", 1, 20},
    ArmBit{"sve", 1, 22},     ArmBit{"sve2", 2, 1},     ArmBit{"svei8mm", 2, 9},
    ArmBit{"svebf16", 2, 12}, ArmBit{"i8mm", 2, 13},    ArmBit{"bf16", 2, 14},
    ArmBit{"sme", 2, 23},
};

}  // namespace

ProcessorWords this_processor() {
  ProcessorWords words;
#if defined(__x86_64__)
  words.architecture = Architecture::kX86;
  words.cpuid = [](std::uint32_t leaf, std::uint32_t subleaf) {
    std::array<std::uint32_t, 4> r{};
    // The subleaf's own limit (eax of subleaf 0) is not asked: beyond it, the answer is zeros.
    if (__get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]) == 0) r = {};
    return r;
  };
  constexpr std::uint32_t kOsxsave = 1U << 27;
  if ((words.cpuid(1, 0)[kEcx] & kOsxsave) != 0) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    words.xcr0 = (std::uint64_t{high} << 32) | low;
  }
#elif defined(__aarch64__)
  words.architecture = Architecture::kArm;
  words.hwcap = getauxval(AT_HWCAP);
  words.hwcap2 = getauxval(AT_HWCAP2);
#endif
  return words;
}

std::vector<InstructionSet> instruction_sets(const ProcessorWords& processor) {
  std::vector<InstructionSet> sets;
  if (processor.architecture == Architecture::kX86 && processor.cpuid) {
    for (const X86Bit& one : kX86) {
      const std::uint32_t word = processor.cpuid(one.leaf, one.subleaf)[one.where];
      sets.push_back(
          {one.name, (word >> one.bit & 1U) != 0 && (processor.xcr0 & one.state) == one.state});
    }
  } else if (processor.architecture == Architecture::kArm) {
    for (const ArmBit& one : kArm) {
      const std::uint64_t word = one.word == 1 ? processor.hwcap : processor.hwcap2;
      sets.push_back({one.name, (word >> one.bit & 1U) != 0});
    }
  }
  return sets;
}

bool has(const std::vector<InstructionSet>& sets, std::string_view name) {
  return std::any_of(sets.begin(), sets.end(),
                     [name](const InstructionSet& set) { return set.present && set.name == name; });
}

}  // namespace tachostat::profile

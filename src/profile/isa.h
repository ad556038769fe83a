// Which instruction sets the processor and the operating system offer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace tachostat::profile {

enum class Architecture : std::uint8_t { kX86, kArm, kOther };

// What a processor says of itself; injected, so that any processor can be looked at.
struct ProcessorWords {
  Architecture architecture = Architecture::kOther;
  // x86: CPUID's eax, ebx, ecx and edx. Leaves above the highest are zeros.
  std::function<std::array<std::uint32_t, 4>(std::uint32_t leaf, std::uint32_t subleaf)> cpuid{};
  std::uint64_t xcr0 = 0;  // register state that the system saves, XGETBV(0)
  // Arm: AT_HWCAP and AT_HWCAP2 of Linux.
  std::uint64_t hwcap = 0, hwcap2 = 0;
};
ProcessorWords this_processor();

struct InstructionSet {
  std::string_view name;  // as Linux spells it in /proc/cpuinfo
  bool present = false;   // in the processor, and its registers saved by the system
};

// All that matter to inference on this architecture, in the order of their age. Sources: Intel's
// Software Developer's Manual, volume 2, CPUID; AMD's Programmer's Manual, volume 3, appendix E;
// Linux' arch/arm64/include/uapi/asm/hwcap.h.
std::vector<InstructionSet> instruction_sets(const ProcessorWords& processor);
bool has(const std::vector<InstructionSet>& sets, std::string_view name);

}  // namespace tachostat::profile

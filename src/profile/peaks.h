// Loops that keep the arithmetic units full, one for each way in which a processor multiplies.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "profile/isa.h"

namespace tachostat::profile {

struct PeakKernel {
  std::string_view precision;     // "f32", "bf16", "f16", "int8"; sums of the last in i32
  std::string_view instructions;  // "fma avx2"
  double operations;              // of one round; a multiply-add is two
  // Operations per cycle where the units are as many as `units` says; 0: not known.
  double per_cycle;
  std::string_view units;
  // Returns something that depends on every result, so that none can be left out.
  float (*run)(std::size_t rounds);
};

// Those that `sets` allow, none when the architecture has none but the portable one. May ask the
// system for the use of tile registers.
std::vector<PeakKernel> peak_kernels(const std::vector<InstructionSet>& sets);

// Cycles that a chain of `rounds` × 64 dependent additions takes: one each on every processor that
// counts here.
inline constexpr double kChainCycles = 64;
void run_chain(std::size_t rounds);

}  // namespace tachostat::profile

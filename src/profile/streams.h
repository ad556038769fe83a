// Loops over memory, for the widest vectors that a processor has.
#pragma once

#include <cstddef>
#include <vector>

#include "profile/isa.h"

namespace tachostat::profile {

// Reads `n` floats, a multiple of 64 from an address aligned to 64 bytes, and returns something
// that depends on each.
using ReadKernel = float (*)(const float* from, std::size_t n);
ReadKernel read_kernel(const std::vector<InstructionSet>& sets);

// a[i] = b[i] + 3 c[i]; three floats of traffic per element.
using TriadKernel = void (*)(float* a, const float* b, const float* c, std::size_t n);
TriadKernel triad_kernel(const std::vector<InstructionSet>& sets);

}  // namespace tachostat::profile

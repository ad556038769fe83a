// The two loops behind the roofline, for the widest vectors that this processor has.
#pragma once

#include <cstddef>

namespace tachostat::profile {

// Runs independent fused multiply-adds `rounds` times over and returns their sum, so that they
// cannot be left out.
struct FmaKernel {
  float (*run)(std::size_t rounds);
  double flops_per_round;
};
FmaKernel fma_kernel();

// a[i] = b[i] + 3 c[i]; three floats of traffic per element.
using TriadKernel = void (*)(float* a, const float* b, const float* c, std::size_t n);
TriadKernel triad_kernel();

}  // namespace tachostat::profile

// 64-bit Arm's loops; nothing elsewhere.
#pragma once

#include <vector>

#include "profile/peaks.h"

namespace tachostat::profile {

void add_arm_peaks(const std::vector<InstructionSet>& sets, std::vector<PeakKernel>& kernels);

}  // namespace tachostat::profile

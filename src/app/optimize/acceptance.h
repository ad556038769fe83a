// Which outcomes are accurate enough. They are refused with a sentence and the numbers; baselines
// are what the engines do by themselves and are never refused.
#pragma once

#include "app/optimize/optimize_run.h"

namespace tachostat::app {

// By the samples of the selection: refuses what gives NaN or infinity, and what drops more than is
// allowed there.
void refuse_inaccurate(OptimizeResult& result);

// By what loading took, where the engine tells: refuses what holds more than `result.memory_limit`.
void refuse_too_large(OptimizeResult& result);

// By the samples of the report: refuses what is not proved to drop less than is allowed. All that
// is left together is so with 95 % confidence, however many were tried: they are proved in an order
// that the report's samples did not decide, the one first whose bound was least in the selection,
// and after the first failure nothing more is (fixed-sequence testing: Maurer, Hothorn, Lehmacher
// 1995).
void refuse_unproved(OptimizeResult& result);

}  // namespace tachostat::app

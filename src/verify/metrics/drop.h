// How much worse a candidate is than the reference, from scores of both on the same samples, with a
// bound that holds at any number of samples and for any distribution of the drops.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

namespace tachostat::verify {

struct Drop {
  std::size_t samples = 0;
  double mean = 0;   // of reference - candidate; negative: the candidate is better
  double bound = 1;  // one-sided upper confidence bound of the true mean
};

// `reference[i]` and `candidate[i]`: scores in [0,1] of sample i. The order of the samples must not
// depend on the scores (as a Splits part is ordered). The bound is wrong with a chance of at most
// 1 - confidence. Method: betting against every mean from the bound up, with the predictable
// plug-in bet, one side; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
// betting" (JRSS-B, 2024), section 3, with the capital's largest value over time by Ville's
// inequality. No normality, no variance known. Without any difference it is about 3 ÷ samples.
// InvalidArgument: no samples, lengths that differ, a score outside [0,1], a confidence outside
// (0,1).
absl::StatusOr<Drop> paired_drop(std::span<const double> reference,
                                 std::span<const double> candidate, double confidence = 0.95);

// About how many samples would bring the bound to `limit` (such as 0.01), if further samples drop
// as these do; without samples, if none drops at all. Nothing when the mean itself is not below the
// limit, or more than a million would be needed.
std::optional<std::size_t> samples_needed(std::span<const double> reference,
                                          std::span<const double> candidate, double limit,
                                          double confidence = 0.95);

}  // namespace tachostat::verify

#include "optimize/bench.h"

#include <algorithm>

namespace tachostat::optimize {

double quiet_mean_ns(std::span<const profile::Slice> slices) {
  std::vector<double> means;
  for (const profile::Slice& slice : slices) {
    if (slice.count > 0) means.push_back(slice.mean_ns());
  }
  if (means.empty()) return 0;
  std::sort(means.begin(), means.end());
  const std::size_t half = (means.size() + 1) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < half; ++i) sum += means[i];
  return sum / static_cast<double>(half);
}

}  // namespace tachostat::optimize

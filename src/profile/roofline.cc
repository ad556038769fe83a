// The quick roofline: for when there is no calibration and no time for one.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "profile/profile.h"
#include "profile/rates.h"

namespace tachostat::profile {
namespace {

using base::Duration;

constexpr std::size_t kMiB = 1024 * 1024;
constexpr int kSlices = 4;  // of a measurement; the best one counts

std::size_t cache_size(int name, std::size_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
}

double best_of(const std::function<double()>& rate) {
  double best = -1;
  for (int i = 0; i < kSlices; ++i) best = std::max(best, rate());
  return best;
}

// The last one named for a precision has the widest vectors.
PeakKernel f32_kernel(const std::vector<InstructionSet>& sets) {
  PeakKernel widest{};
  for (const PeakKernel& kernel : peak_kernels(sets)) {
    if (kernel.precision == "f32") widest = kernel;
  }
  return widest;
}

}  // namespace

Roofline measure_roofline(int threads, int milliseconds) {
  const ThreadTime clock;
  Roofline roofline{.threads = std::clamp(threads, 1, 1024)};
  const auto n = static_cast<std::size_t>(roofline.threads);
  const Duration slice =
      std::max<Duration>(std::chrono::milliseconds(std::max(milliseconds, 1)) / 4 / kSlices,
                         std::chrono::microseconds(200));
  const std::size_t last_level = cache_size(_SC_LEVEL3_CACHE_SIZE, 8 * kMiB);
  const std::size_t middle = cache_size(_SC_LEVEL2_CACHE_SIZE, kMiB / 2);
  // Larger than the last-level caches that these threads can use: some processors tell the size of
  // all of them together, but one thread reaches no more than 96 MiB.
  const std::size_t memory =
      std::clamp(2 * last_level, 64 * kMiB, std::min(128 * n, std::size_t{512}) * kMiB) / n;
  // Larger than the level below, and half of this thread's share of the last one.
  const std::size_t cache =
      std::min(std::max(last_level / (2 * n), std::min(2 * middle, last_level / n)), 8 * kMiB);

  const std::vector<InstructionSet> sets = instruction_sets(this_processor());
  const PeakKernel multiply = f32_kernel(sets);
  const TriadKernel triad = triad_kernel(sets);
  Pool pool(std::vector<int>(n, Pool::kAnywhere), [memory](std::size_t) { return memory; });
  roofline.single_f32_flops =
      best_of([&] { return compute_rate(clock, pool, 1, slice, multiply); });
  roofline.peak_f32_flops =
      n == 1 ? roofline.single_f32_flops
             : best_of([&] { return compute_rate(clock, pool, n, slice, multiply); });
  roofline.memory_bandwidth =
      best_of([&] { return triad_rate(clock, pool, n, slice, triad, memory); });
  roofline.cache_bandwidth =
      best_of([&] { return triad_rate(clock, pool, n, slice, triad, cache); });
  return roofline;
}

}  // namespace tachostat::profile

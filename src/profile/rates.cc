#include "profile/rates.h"

#include <time.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace tachostat::profile {
namespace {

using base::Duration;
using base::Time;

// Between two looks at the clock, which may take a third of a microsecond.
constexpr std::size_t kRounds = 20'000;  // of a kernel
constexpr std::size_t kStepBytes = std::size_t{4} << 20;
constexpr std::size_t kBlock = 64;  // floats that a read kernel takes at once

// Each thread's work per second, added up. `step` does some microseconds of work and returns how
// much it was.
template <class MakeStep>
double rate_of(const base::Clock& clock, Pool& pool, std::size_t threads, Duration slice,
               const MakeStep& make_step) {
  std::vector<double> rates(threads, -1);
  pool.run(threads, [&](std::size_t thread, const Pages& memory) {
    auto step = make_step(memory);
    const Time begin = clock.now();
    Time now = begin;
    double done = 0;
    do {
      done += step();
      now = clock.now();
    } while (now - begin < slice);
    if (now > begin && done > 0) rates[thread] = done / base::to_seconds(now - begin);
  });
  if (std::any_of(rates.begin(), rates.end(), [](double rate) { return rate < 0; })) return -1;
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

// The stores of a triad and the sums of a read are seen by nobody else: without this they might be
// left out.
void keep(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

}  // namespace

base::Time ThreadTime::now() const {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return base::Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

double compute_rate(const base::Clock& clock, Pool& pool, std::size_t threads, Duration slice,
                    const PeakKernel& kernel) {
  return rate_of(clock, pool, threads, slice, [&kernel](const Pages&) {
    return [&kernel] {
      const float used = kernel.run(kRounds);
      keep(&used);
      return kernel.operations * static_cast<double>(kRounds);
    };
  });
}

double cycle_rate(const base::Clock& clock, Pool& pool, std::size_t threads, Duration slice) {
  const double all = rate_of(clock, pool, threads, slice, [](const Pages&) {
    return [] {
      constexpr auto kChainRounds = kRounds / 25;
      run_chain(kChainRounds);
      return kChainCycles * static_cast<double>(kChainRounds);
    };
  });
  return all < 0 ? -1 : all / static_cast<double>(threads);
}

double read_rate(const base::Clock& clock, Pool& pool, std::size_t threads, Duration slice,
                 ReadKernel kernel, std::size_t bytes) {
  return rate_of(clock, pool, threads, slice, [&](const Pages& memory) {
    const std::size_t floats = std::min(bytes / sizeof(float), memory.floats()) / kBlock * kBlock;
    return [kernel, from = memory.data(), floats, at = std::size_t{0}]() mutable {
      if (from == nullptr || floats == 0) return 0.0;
      std::size_t read = 0;
      while (read < kStepBytes / sizeof(float)) {
        const std::size_t n = std::min(floats - at, kStepBytes / sizeof(float) - read);
        const float used = kernel(from + at, n);
        keep(&used);
        read += n;
        at = at + n == floats ? 0 : at + n;
      }
      return static_cast<double>(read * sizeof(float));
    };
  });
}

double triad_rate(const base::Clock& clock, Pool& pool, std::size_t threads, Duration slice,
                  TriadKernel kernel, std::size_t bytes) {
  return rate_of(clock, pool, threads, slice, [&](const Pages& memory) {
    const std::size_t floats =
        std::min(bytes / sizeof(float), memory.floats()) / 3 / kBlock * kBlock;
    return [kernel, a = memory.data(), floats, at = std::size_t{0}]() mutable {
      if (a == nullptr || floats == 0) return 0.0;
      std::size_t done = 0;
      while (done < kStepBytes / 3 / sizeof(float)) {
        const std::size_t n = std::min(floats - at, std::size_t{8192});
        kernel(a + at, a + floats + at, a + 2 * floats + at, n);
        keep(a);
        done += n;
        at = at + n == floats ? 0 : at + n;
      }
      return static_cast<double>(3 * done * sizeof(float));
    };
  });
}

}  // namespace tachostat::profile

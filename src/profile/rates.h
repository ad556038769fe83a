// One repeat of one figure, with all threads of a pool.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "profile/peaks.h"
#include "profile/pool.h"
#include "profile/streams.h"

namespace tachostat::profile {

// The time that the calling thread was on a processor. Rates by it are those of the machine even
// while other programs take their turns; what a hypervisor takes is not seen.
class ThreadTime final : public base::Clock {
 public:
  base::Time now() const override;
  std::chrono::nanoseconds unix_time() const override { return now().time_since_epoch(); }
};

// Work per second, all threads together, over about `slice` of `clock` on each thread; -1 when the
// clock did not move.

// Operations.
double compute_rate(const base::Clock& clock, Pool& pool, std::size_t threads, base::Duration slice,
                    const PeakKernel& kernel);
// Cycles, from a chain of dependent additions; per thread on average.
double cycle_rate(const base::Clock& clock, Pool& pool, std::size_t threads, base::Duration slice);
// Bytes read from `bytes` of each thread's memory again and again.
double read_rate(const base::Clock& clock, Pool& pool, std::size_t threads, base::Duration slice,
                 ReadKernel kernel, std::size_t bytes);
// Bytes of a[i] = b[i] + 3 c[i], three arrays in `bytes` of each thread's memory.
double triad_rate(const base::Clock& clock, Pool& pool, std::size_t threads, base::Duration slice,
                  TriadKernel kernel, std::size_t bytes);

// Seconds, of `samples` tries.
struct Latency {
  double median = -1;
  double p99 = -1;
};
// To hand an empty piece of work to each of the other threads, which wait in a loop, and to know
// that all are done: the least that a parallel-for costs.
Latency dispatch_latency(const base::Clock& clock, Pool& pool, std::size_t threads, int samples);
// From the wake-up call until the last of `threads` sleeping threads runs. The threads go where the
// system puts them, as an engine's do.
Latency wake_latency(const base::Clock& clock, int threads, int samples);

}  // namespace tachostat::profile

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread.h"
#include "profile/kernels.h"
#include "profile/profile.h"

namespace tachostat::profile {
namespace {

using base::Duration;
using base::Time;

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kRounds = 2000;  // per step, a few microseconds
constexpr int kSlices = 4;             // of a measurement; the best one counts

std::size_t cache_size(int name, std::size_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
}

// One thread's part of a measurement, built on that thread so that its memory lies near it.
class Work {
 public:
  virtual ~Work() = default;
  // A few microseconds of work; returns how much it was, or 0 when it cannot be done.
  virtual double step() = 0;
};

class Multiply final : public Work {
 public:
  double step() override {
    sink_ = kernel_.run(kRounds);
    return kernel_.flops_per_round * kRounds;
  }

 private:
  const FmaKernel kernel_ = fma_kernel();
  volatile float sink_ = 0;
};

// Zeroed, in huge pages where the system has them: bringing in small ones would take longer than
// the measurement.
struct Pages {
  explicit Pages(std::size_t floats)
      : bytes((floats * sizeof(float) + 2 * kMiB - 1) / (2 * kMiB) * (2 * kMiB)),
        data(static_cast<float*>(std::aligned_alloc(2 * kMiB, bytes))) {
    if (data == nullptr) return;
    madvise(data, bytes, MADV_HUGEPAGE);
    std::memset(data, 0, bytes);
  }
  ~Pages() { std::free(data); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  const std::size_t bytes;
  float* const data;
};

class Stream final : public Work {
 public:
  // Three arrays of `bytes` in all.
  explicit Stream(std::size_t bytes)
      : n_(std::max<std::size_t>(bytes / (3 * sizeof(float)), kChunk)), pages_(3 * n_) {}

  double step() override {
    if (pages_.data == nullptr) return 0;
    const std::size_t n = std::min(kChunk, n_ - at_);
    float* a = pages_.data + at_;
    kernel_(a, a + n_, a + 2 * n_, n);
    // The stores are seen by nobody else: without this they might be left out.
    asm volatile("" : : "r"(a) : "memory");
    at_ += n;
    if (at_ == n_) at_ = 0;
    return static_cast<double>(3 * sizeof(float) * n);
  }

 private:
  static constexpr std::size_t kChunk = 8192;  // floats of each array per step

  const std::size_t n_;
  const Pages pages_;
  const TriadKernel kernel_ = triad_kernel();
  std::size_t at_ = 0;
};

using MakeWork = std::function<std::unique_ptr<Work>()>;

// Work per second of `threads` threads together, the best of several slices; -1 when nothing was
// done. Takes `time` and what making the work takes.
double rate_of(const base::Clock& clock, int threads, Duration time, const MakeWork& make) {
  const Duration slice = std::max<Duration>(time / kSlices, std::chrono::microseconds(200));
  const auto n = static_cast<std::size_t>(threads);
  std::vector<std::array<double, kSlices>> rates(n);
  std::barrier together(threads);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < n; ++i) {
      workers.push_back(base::start_thread("roofline", [&, i](const std::stop_token&) {
        const std::unique_ptr<Work> work = make();
        for (double& rate : rates[i]) {
          together.arrive_and_wait();
          const Time begin = clock.now();
          Time now = begin;
          double done = 0;
          do {
            done += work->step();
            now = clock.now();
          } while (now - begin < slice);
          rate = done / base::to_seconds(now - begin);
        }
      }));
    }
  }
  double best = -1;
  for (int i = 0; i < kSlices; ++i) {
    double sum = 0;
    for (const auto& one : rates) sum += one[static_cast<std::size_t>(i)];
    if (sum > best && sum > 0) best = sum;
  }
  return best;
}

}  // namespace

Roofline measure_roofline(int threads, int milliseconds) {
  const base::SystemClock clock;
  Roofline roofline{.threads = std::clamp(threads, 1, 1024)};
  const Duration part = std::chrono::milliseconds(std::max(milliseconds, 1)) / 4;
  const auto n = static_cast<std::size_t>(roofline.threads);
  const std::size_t last_level = cache_size(_SC_LEVEL3_CACHE_SIZE, 8 * kMiB);
  const std::size_t middle = cache_size(_SC_LEVEL2_CACHE_SIZE, kMiB / 2);
  // Larger than the last-level caches that these threads can use: some processors tell the size of
  // all of them together, but one thread reaches no more than 96 MiB.
  const std::size_t memory =
      std::clamp(2 * last_level, 64 * kMiB, std::min(128 * n, std::size_t{512}) * kMiB) / n;
  // Larger than the level below, and half of this thread's share of the last one.
  const std::size_t cache =
      std::min(std::max(last_level / (2 * n), std::min(2 * middle, last_level / n)), 8 * kMiB);

  const MakeWork multiply = [] { return std::make_unique<Multiply>(); };
  roofline.single_f32_flops = rate_of(clock, 1, part, multiply);
  roofline.peak_f32_flops = roofline.threads == 1
                                ? roofline.single_f32_flops
                                : rate_of(clock, roofline.threads, part, multiply);
  roofline.memory_bandwidth =
      rate_of(clock, roofline.threads, part, [&] { return std::make_unique<Stream>(memory); });
  roofline.cache_bandwidth =
      rate_of(clock, roofline.threads, part, [&] { return std::make_unique<Stream>(cache); });
  return roofline;
}

}  // namespace tachostat::profile

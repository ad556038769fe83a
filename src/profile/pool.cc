#include "profile/pool.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/thread.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

void stay_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);  // this thread's alone
}

}  // namespace

Pages::Pages(std::size_t bytes)
    : bytes_(whole_pages(bytes)),
      data_(static_cast<float*>(std::aligned_alloc(kHugePage, whole_pages(bytes)))) {
  if (data_ == nullptr) return;
  madvise(data_, bytes_, MADV_HUGEPAGE);
  std::memset(data_, 0, bytes_);
}

Pages::~Pages() { std::free(data_); }

void Spin::pause() {
  constexpr int kSpins = 2000;
  if (++spins_ % kSpins == 0) {
    std::this_thread::yield();
    return;
  }
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

Pool::Pool(const std::vector<int>& cpus, const std::function<std::size_t(std::size_t)>& bytes_of) {
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    workers_.push_back(base::start_thread(
        "calibration", [this, i, cpu = cpus[i], bytes = bytes_of(i)](const std::stop_token&) {
          work(i, cpu, bytes);
        }));
  }
}

Pool::~Pool() {
  {
    base::MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

void Pool::run(std::size_t threads, const Body& body) {
  base::MutexLock lock(mutex_);
  body_ = &body;
  threads_ = std::min(threads, workers_.size());
  busy_ = workers_.size();
  arrived_ = 0;
  ++round_;
  changed_.notify_all();
  while (busy_ > 0) changed_.wait(mutex_);
  body_ = nullptr;
}

void Pool::begin_together(std::size_t threads) {
  Spin spin;
  ++arrived_;
  while (arrived_ < threads) spin.pause();
}

void Pool::work(std::size_t thread, int cpu, std::size_t bytes) {
  stay_on(cpu);
  const Pages memory(bytes);
  std::uint64_t done = 0;
  while (true) {
    const Body* body = nullptr;
    std::size_t threads = 0;
    {
      base::MutexLock lock(mutex_);
      while (!stop_ && round_ == done) changed_.wait(mutex_);
      if (stop_) return;
      done = round_;
      body = body_;
      threads = threads_;
    }
    if (thread < threads) {
      begin_together(threads);
      (*body)(thread, memory);
    }
    base::MutexLock lock(mutex_);
    if (--busy_ == 0) changed_.notify_all();
  }
}

}  // namespace tachostat::profile

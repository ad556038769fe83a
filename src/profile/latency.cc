// How long it takes to hand work to threads.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "profile/rates.h"

namespace tachostat::profile {
namespace {

using base::Time;

// A thread that has said that it sleeps may still be on its way into the system.
constexpr int kSettle = 2000;

Latency summary(std::vector<double> seconds) {
  if (seconds.empty()) return {};
  std::sort(seconds.begin(), seconds.end());
  const auto last = static_cast<double>(seconds.size() - 1);
  return {.median = seconds[seconds.size() / 2],
          .p99 = seconds[static_cast<std::size_t>(0.99 * last + 0.5)]};
}

// Sleeping threads, and when each woke.
class Sleepers {
 public:
  Sleepers(const base::Clock& clock, int threads) : clock_(clock) {
    for (int i = 0; i < threads; ++i) {
      threads_.push_back(
          base::start_thread("sleeper", [this](const std::stop_token&) { sleep(); }));
    }
  }
  ~Sleepers() {
    {
      base::MutexLock lock(mutex_);
      stop_ = true;
    }
    call_.notify_all();
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  // From the call until the last runs.
  base::Duration wake() {
    settle();
    base::MutexLock lock(mutex_);
    asleep_ = 0;
    woken_ = 0;
    last_ = Time::min();
    ++round_;
    const Time called = clock_.now();
    call_.notify_all();
    while (woken_ < threads_.size()) back_.wait(mutex_);
    return last_ - called;
  }

 private:
  void settle() {
    {
      base::MutexLock lock(mutex_);
      while (asleep_ < threads_.size()) back_.wait(mutex_);
    }
    Spin spin;
    for (int i = 0; i < kSettle; ++i) spin.pause();
  }

  // Under the mutex from "asleep" until the wait itself lets it go: a call cannot come between.
  void sleep() {
    base::MutexLock lock(mutex_);
    while (true) {
      const std::uint64_t seen = round_;
      ++asleep_;
      back_.notify_all();
      while (!stop_ && round_ == seen) call_.wait(mutex_);
      if (stop_) return;
      last_ = std::max(last_, clock_.now());
      ++woken_;
      back_.notify_all();
    }
  }

  const base::Clock& clock_;
  base::Mutex mutex_;
  base::CondVar call_, back_;
  std::uint64_t round_ TS_GUARDED_BY(mutex_) = 0;
  std::size_t asleep_ TS_GUARDED_BY(mutex_) = 0;
  std::size_t woken_ TS_GUARDED_BY(mutex_) = 0;
  Time last_ TS_GUARDED_BY(mutex_){};
  bool stop_ TS_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: joined first
};

}  // namespace

Latency dispatch_latency(const base::Clock& clock, Pool& pool, std::size_t threads, int samples) {
  std::atomic<int> round = 0;
  std::atomic<std::size_t> done = 0;
  std::vector<double> seconds;
  const std::size_t others = std::min(threads, pool.size()) - 1;
  pool.run(threads, [&](std::size_t thread, const Pages&) {
    Spin spin;
    for (int sample = 1; sample <= samples; ++sample) {
      if (thread > 0) {
        while (round.load(std::memory_order_acquire) < sample) spin.pause();
        done.fetch_add(1, std::memory_order_acq_rel);
        continue;
      }
      const Time begin = clock.now();
      round.store(sample, std::memory_order_release);
      const std::size_t all = static_cast<std::size_t>(sample) * others;
      while (done.load(std::memory_order_acquire) < all) spin.pause();
      seconds.push_back(base::to_seconds(clock.now() - begin));
    }
  });
  return summary(std::move(seconds));
}

Latency wake_latency(const base::Clock& clock, int threads, int samples) {
  Sleepers sleepers(clock, threads);
  std::vector<double> seconds;
  for (int sample = 0; sample < samples; ++sample) {
    seconds.push_back(base::to_seconds(std::max(sleepers.wake(), base::Duration(0))));
  }
  return summary(std::move(seconds));
}

}  // namespace tachostat::profile

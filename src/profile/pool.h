// Threads that measure together, each on a processor of its own, each with its own memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace tachostat::profile {

// Zeroed, in huge pages where the system has them: bringing in small ones would take longer than
// the measurement.
class Pages {
 public:
  explicit Pages(std::size_t bytes);
  ~Pages();
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  float* data() const { return data_; }  // null: no memory
  std::size_t floats() const { return bytes_ / sizeof(float); }

 private:
  const std::size_t bytes_;
  float* const data_;
};

class Pool {
 public:
  static constexpr int kAnywhere = -1;  // for a processor: where the system puts the thread

  // One thread on each of `cpus`, each with `bytes_of` its number of memory that it touched itself.
  // A processor that cannot be had leaves its thread where the system puts it.
  Pool(const std::vector<int>& cpus,
       const std::function<std::size_t(std::size_t thread)>& bytes_of);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  std::size_t size() const { return workers_.size(); }

  // Runs `body` on the first `threads` threads, with each one's number and memory, begun at the
  // same moment, and returns when all have ended. One caller at a time.
  using Body = std::function<void(std::size_t thread, const Pages& memory)>;
  void run(std::size_t threads, const Body& body);

 private:
  void work(std::size_t thread, int cpu, std::size_t bytes);
  void begin_together(std::size_t threads);

  base::Mutex mutex_;
  base::CondVar changed_;
  std::uint64_t round_ TS_GUARDED_BY(mutex_) = 0;
  std::size_t threads_ TS_GUARDED_BY(mutex_) = 0;  // of this round
  std::size_t busy_ TS_GUARDED_BY(mutex_) = 0;
  bool stop_ TS_GUARDED_BY(mutex_) = false;
  const Body* body_ TS_GUARDED_BY(mutex_) = nullptr;
  std::atomic<std::size_t> arrived_ = 0;  // of this round
  std::vector<std::jthread> workers_;     // last: joined first
};

// Waits a moment in a loop; now and then the processor is offered to others, as there may be too
// few.
class Spin {
 public:
  void pause();

 private:
  int spins_ = 0;
};

}  // namespace tachostat::profile

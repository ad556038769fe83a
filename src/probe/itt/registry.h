// What all threads share: the switch, the domains, the names, and the threads' logs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "probe/itt/abi.h"
#include "probe/itt/collector.h"
#include "probe/itt/thread_log.h"

namespace tachostat::probe::itt {

// Thread-safe. One for the process, never destroyed: threads of other libraries outlive static
// objects.
class Registry {
 public:
  // Threads whose logs exist at once; later ones are counted as dropped. 128 full rings are 64 MiB.
  static constexpr std::size_t kMostThreads = 128;
  static constexpr std::size_t kMostNames = 1 << 20;

  static Registry& instance();

  // Equal names give the same object, which lives for ever.
  Domain* domain(const char* name);
  StringHandle* string(const char* text);
  // Takes over what a library created before it found this collector.
  void adopt(Domain* domains, StringHandle* strings);

  void set_level(Level level);
  // The switch: level in the low byte, epoch above it.
  std::uint64_t position() const { return position_.load(std::memory_order_relaxed); }

  // A log for the calling thread; null when there are too many.
  ThreadLog* attach(std::string name);
  // The log's thread ends.
  void detach(ThreadLog* log);
  void rename(ThreadLog* log, const std::string& name);
  // A span of a thread without a log.
  void count_lost() { lost_.fetch_add(1, std::memory_order_relaxed); }

  void drain(trace::Trace& out);
  // The same with names by their number; gives how many spans were lost since the last call.
  std::uint64_t drain(std::vector<trace::Span>& spans,
                      std::vector<std::pair<std::uint32_t, std::string>>& threads);
  std::uint64_t emitted() const;

  // A name's number, and the names from a number on.
  std::uint32_t number(std::string_view name);
  std::vector<std::string> names_from(std::size_t first) const;

  // Around a fork, so that the child finds nothing half done.
  void lock();
  void unlock();
  // In the child, while locked: only the calling thread is left, and what the rings hold is the
  // parent's. All threads get new logs.
  void forget_threads();

 private:
  struct Slot {
    explicit Slot(std::uint32_t thread) : log(thread) {}
    ThreadLog log;
    std::string name;
    enum { kLive, kEnded, kFree } state = kLive;
  };
  void take_over(Domain& domain) TS_REQUIRES(mutex_);
  std::uint32_t number_of(std::string_view name) TS_REQUIRES(mutex_);
  std::vector<std::string> names_of(const std::vector<std::uint32_t>& numbers) const;
  void append(std::vector<trace::Span> spans, trace::Trace& out) const;

  base::Mutex drain_mutex_;  // taken before mutex_; one reader of the rings
  mutable base::Mutex mutex_;
  std::atomic<std::uint64_t> position_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::vector<Domain*> domains_ TS_GUARDED_BY(mutex_);
  // Keys are views of the handles' own text.
  std::unordered_map<std::string_view, StringHandle*> strings_ TS_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint32_t> numbers_ TS_GUARDED_BY(mutex_);
  std::vector<std::string> names_ TS_GUARDED_BY(mutex_){"?"};  // by number
  std::vector<std::unique_ptr<Slot>> slots_ TS_GUARDED_BY(mutex_);
  std::uint64_t drained_losses_ TS_GUARDED_BY(drain_mutex_) = 0;
};

}  // namespace tachostat::probe::itt

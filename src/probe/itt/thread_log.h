// The open tasks of one thread, and the ring for its finished spans.
//
// A thread sees the switch (collector.cc) at each call, while its callers test their domain's flag
// by themselves; so a begin or an end may be missing when the switch moves in the middle of a task.
// Hence the epoch, a number that changes whenever the switch moves:
// - tasks that began in another epoch are forgotten: their span would hold time that was not looked
//   at. So each recorded span, and all that is inside it, lies within one position of the switch.
// - an end without a begin of its epoch is ignored. It finds either no open task, or, where domains
//   were switched on one after the other, one of another domain.
// Within an epoch a domain goes on at most once and never off (a begin of a domain that is about to
// go off is refused, see collector.cc), so a begin that was recorded always gets its end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "trace/trace.h"

namespace tachostat::probe::itt {

class ThreadLog {
 public:
  static constexpr std::size_t kDeepest = 64;
  static constexpr std::size_t kRing = 1 << 14;

  explicit ThreadLog(std::uint32_t thread, std::size_t ring = kRing) : ring_(thread, ring) {}

  // Owner's thread. `clock` is read last, after our own work.
  template <class Clock>
  void begin(const void* domain, std::uint32_t name, std::uint64_t epoch, Clock&& clock) {
    enter(epoch);
    if (open_ == kDeepest) {
      ++too_deep_;
      return;
    }
    Frame& frame = frames_[open_++];
    frame.domain = domain;
    frame.name = name;
    frame.begin_ns = clock();
  }

  // Owner's thread. `now_ns` was read before anything else. True, with the span but for its name in
  // `ended`, when a task of this epoch ended.
  bool end(const void* domain, trace::Kind kind, std::uint64_t epoch, std::uint64_t now_ns,
           trace::Span* ended = nullptr) {
    enter(epoch);
    if (too_deep_ > 0) {
      --too_deep_;
      count();
      too_deep_dropped_.store(too_deep_dropped_.load(std::memory_order_relaxed) + 1,
                              std::memory_order_relaxed);
      return false;
    }
    if (open_ == 0 || frames_[open_ - 1].domain != domain) return false;
    const Frame& frame = frames_[--open_];
    count();
    const trace::Span span{.begin_ns = frame.begin_ns,
                           .end_ns = now_ns,
                           .name = frame.name,
                           .thread = ring_.thread(),
                           .depth = static_cast<std::uint32_t>(open_),
                           .kind = kind};
    ring_.push(span);
    if (ended != nullptr) *ended = span;
    return true;
  }

  // Any thread. Both only grow.
  std::uint64_t emitted() const { return emitted_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const {
    return ring_.dropped() + too_deep_dropped_.load(std::memory_order_relaxed);
  }

  // The reader's.
  trace::SpanRing& ring() { return ring_; }
  // While its thread has ended and another has not begun.
  void hand_over(std::uint32_t thread) {
    ring_.hand_over(thread);
    open_ = 0;
    too_deep_ = 0;
  }

 private:
  struct Frame {
    const void* domain;
    std::uint64_t begin_ns;
    std::uint32_t name;
  };

  void enter(std::uint64_t epoch) {
    if (epoch_ == epoch) return;
    epoch_ = epoch;
    open_ = 0;
    too_deep_ = 0;
  }
  // One writer, so no read-modify-write is needed.
  void count() {
    emitted_.store(emitted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  std::uint64_t epoch_ = 0;
  std::size_t open_ = 0;
  std::size_t too_deep_ = 0;  // open tasks beyond kDeepest
  std::array<Frame, kDeepest> frames_;
  std::atomic<std::uint64_t> emitted_{0};
  std::atomic<std::uint64_t> too_deep_dropped_{0};
  trace::SpanRing ring_;
};

}  // namespace tachostat::probe::itt

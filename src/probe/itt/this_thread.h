// What the interfaces of instrumented libraries (ITT, NVTX) share of the calling thread.
#pragma once

#include <time.h>

#include <cstdint>

#include "probe/itt/thread_log.h"

namespace tachostat::probe::itt {

inline std::uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// Null when there are too many threads. `position` of the switch.
ThreadLog* log_of_this_thread(std::uint64_t position);

// In the child after a fork, whose thread's log was the parent's.
void forget_this_thread();

}  // namespace tachostat::probe::itt

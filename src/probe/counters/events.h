// What can be counted, by our names, and how this processor spells it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct perf_event_attr;

namespace tachostat::probe {

// One event as perf_event_open(2) takes it.
struct CounterEvent {
  std::string name;  // "cycles"
  std::string unit;  // UCUM: "1", "s"
  double scale = 1;  // from counts to `unit`: lanes of a vector instruction, nanoseconds
  std::uint32_t type = 0;
  std::uint64_t config = 0;
  std::uint64_t config1 = 0;
  std::uint64_t config2 = 0;
  // Counted in the kernel too, which needs perf_event_paranoid <= 1. Switches and migrations
  // happen nowhere else: without the right they would read 0 for ever. Everything else is counted
  // in user mode only, so that figures agree between machines.
  bool with_kernel = false;
};

// How the kernel takes it; the caller adds what is to be read, and how.
perf_event_attr attribute_of(const CounterEvent& event);

struct RefusedEvent {
  std::string name;
  std::string reason;
};

struct FoundEvents {
  std::vector<CounterEvent> events;
  std::vector<RefusedEvent> refused;
};

// Software: "task_clock", "page_faults", "context_switches", "migrations".
// Hardware: "cycles", "instructions", "stalled_backend", "stalled_frontend", "cache_misses" (of the
// last level), "l1d_misses", "dtlb_misses", "branch_misses".
// Floating point operations in user mode, where the processor counts them: "flops_scalar",
// "flops_128", "flops_256", "flops_512" (single precision by width, Intel; a fused multiply-add is
// two), "flops" (all precisions and widths: AMD since Zen 2, ARM since Neoverse V1 without SVE).
std::span<const std::string_view> standard_events();

// Encoded by libpfm4 for the processor it runs on. A name that is none of the standard ones is
// taken as libpfm4 spells it ("amd64_fam19h_zen3::RETIRED_UOPS"). Thread-safe.
FoundEvents find_events(std::span<const std::string_view> names);

}  // namespace tachostat::probe

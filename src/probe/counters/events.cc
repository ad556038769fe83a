#include "probe/counters/events.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
// After the kernel's own header, whose declarations it would repeat.
#include <perfmon/pfmlib_perf_event.h>

#include <array>
#include <mutex>
#include <optional>

namespace tachostat::probe {
namespace {

struct Known {
  std::string_view name;
  std::string_view unit;
  double scale;
  bool with_kernel;
  // libpfm4's spellings, the first that it knows here is taken.
  std::array<const char*, 3> spellings;
};

constexpr Known kKnown[] = {
    {"task_clock", "s", 1e-9, false, {"perf::PERF_COUNT_SW_TASK_CLOCK", nullptr}},
    {"page_faults", "1", 1, false, {"perf::PERF_COUNT_SW_PAGE_FAULTS", nullptr}},
    {"context_switches", "1", 1, true, {"perf::PERF_COUNT_SW_CONTEXT_SWITCHES", nullptr}},
    {"migrations", "1", 1, true, {"perf::PERF_COUNT_SW_CPU_MIGRATIONS", nullptr}},
    {"cycles", "1", 1, false, {"perf::PERF_COUNT_HW_CPU_CYCLES", nullptr}},
    {"instructions", "1", 1, false, {"perf::PERF_COUNT_HW_INSTRUCTIONS", nullptr}},
    {"stalled_backend", "1", 1, false, {"perf::PERF_COUNT_HW_STALLED_CYCLES_BACKEND", nullptr}},
    {"stalled_frontend", "1", 1, false, {"perf::PERF_COUNT_HW_STALLED_CYCLES_FRONTEND", nullptr}},
    {"cache_misses", "1", 1, false, {"perf::PERF_COUNT_HW_CACHE_MISSES", nullptr}},
    {"l1d_misses", "1", 1, false, {"perf::PERF_COUNT_HW_CACHE_L1D:READ:MISS", nullptr}},
    {"dtlb_misses", "1", 1, false, {"perf::PERF_COUNT_HW_CACHE_DTLB:READ:MISS", nullptr}},
    {"branch_misses", "1", 1, false, {"perf::PERF_COUNT_HW_BRANCH_MISSES", nullptr}},
    {"flops_scalar",
     "1",
     1,
     false,
     {"FP_ARITH_INST_RETIRED:SCALAR_SINGLE", "FP_ARITH:SCALAR_SINGLE"}},
    {"flops_128",
     "1",
     4,
     false,
     {"FP_ARITH_INST_RETIRED:128B_PACKED_SINGLE", "FP_ARITH:128B_PACKED_SINGLE"}},
    {"flops_256",
     "1",
     8,
     false,
     {"FP_ARITH_INST_RETIRED:256B_PACKED_SINGLE", "FP_ARITH:256B_PACKED_SINGLE"}},
    {"flops_512",
     "1",
     16,
     false,
     {"FP_ARITH_INST_RETIRED:512B_PACKED_SINGLE", "FP_ARITH:512B_PACKED_SINGLE"}},
    {"flops",
     "1",
     1,
     false,
     {"RETIRED_SSE_AVX_FLOPS:ANY", "RETIRED_SSE_AVX_FLOPS:ALL", "FP_FIXED_OPS_SPEC"}},
};

constexpr auto kStandard = [] {
  std::array<std::string_view, std::size(kKnown)> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kKnown[i].name;
  return names;
}();

// libpfm4 keeps tables of its own and starts them once per process.
int start_library() {
  static std::once_flag once;
  static int result = PFM_ERR_NOINIT;
  std::call_once(once, [] { result = pfm_initialize(); });
  return result;
}

// PFM_SUCCESS, or libpfm4's error.
int encode(const char* spelling, CounterEvent& to) {
  if (const int result = start_library(); result != PFM_SUCCESS) return result;
  perf_event_attr attr{};
  pfm_perf_encode_arg_t argument{};
  argument.size = sizeof argument;
  argument.attr = &attr;
  const int result = pfm_get_os_event_encoding(spelling, PFM_PLM3, PFM_OS_PERF_EVENT, &argument);
  if (result != PFM_SUCCESS) return result;
  to.type = attr.type;
  to.config = attr.config;
  to.config1 = attr.config1;
  to.config2 = attr.config2;
  return PFM_SUCCESS;
}

const Known* find_known(std::string_view name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace

perf_event_attr attribute_of(const CounterEvent& event) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = event.type;
  attr.config = event.config;
  attr.config1 = event.config1;
  attr.config2 = event.config2;
  attr.exclude_kernel = event.with_kernel ? 0 : 1;
  attr.exclude_hv = 1;
  return attr;
}

std::span<const std::string_view> standard_events() { return kStandard; }

FoundEvents find_events(std::span<const std::string_view> names) {
  FoundEvents found;
  for (const std::string_view name : names) {
    CounterEvent event{.name = std::string(name), .unit = "1"};
    int result = PFM_ERR_NOTFOUND;
    if (const Known* known = find_known(name)) {
      event.unit = known->unit;
      event.scale = known->scale;
      event.with_kernel = known->with_kernel;
      for (const char* spelling : known->spellings) {
        if (spelling != nullptr && result != PFM_SUCCESS) result = encode(spelling, event);
      }
    } else {
      result = encode(event.name.c_str(), event);
    }
    if (result == PFM_SUCCESS) {
      found.events.push_back(std::move(event));
    } else {
      found.refused.push_back({std::string(name), fmt::format("{}: not for this processor: {}",
                                                              name, pfm_strerror(result))});
    }
  }
  return found;
}

}  // namespace tachostat::probe

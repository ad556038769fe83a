// What PyTorch's profiler (Kineto) wrote, event by event, before anyone decides what is a layer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "trace/formats/json_events.h"
#include "trace/formats/timeline.h"

namespace tachostat::trace {

// By the event's category, in the spelling of any version.
enum class KinetoWhat : std::uint8_t {
  kOp,          // cpu_op
  kAnnotation,  // user_annotation
  kStep,        // user_annotation ProfilerStep#N
  kLaunch,      // cuda_runtime, cuda_driver and other accelerators' likes
  kKernel,      // kernel
  kCopy,        // gpu_memcpy, gpu_memset
  kGpuRange,    // gpu_user_annotation: an annotation as its kernels took it
  kPython,      // python_function
  kModule,      // python_function "nn.Module: …"
  kOther,
};

// Numbers that kernels of one name have: sums over `count`.
struct KinetoSums {
  std::uint64_t count = 0;
  std::map<std::string, double> sums = {};
};

struct KinetoKernel {
  std::uint32_t span = 0;
  std::uint64_t correlation = 0;  // of its launch; 0 when not told
  std::uint64_t external = 0;     // of the operator that caused it; 0 when not told
  std::uint32_t device = 0;
};

// Spans with what the layers are decided from. `what` runs along timeline.spans().
struct KinetoEvents {
  Timeline timeline;
  std::vector<KinetoWhat> what = {};
  std::vector<KinetoKernel> kernels = {};
  absl::flat_hash_map<std::uint64_t, std::uint32_t> launches = {};   // correlation to span
  absl::flat_hash_map<std::uint64_t, std::uint32_t> operators = {};  // external id to span
  absl::flat_hash_map<std::uint32_t, std::string> precisions = {};   // of an operator's name
  std::map<std::uint32_t, KinetoSums> measured = {};                 // of a kernel's name
  std::uint64_t python_dropped = 0;
};

class KinetoReader {
 public:
  // Python functions are as many as calls in the program: more than these and none is kept.
  static constexpr std::size_t kMostPython = 1'000'000;

  void add(const JsonEvent& event);
  KinetoEvents take() { return std::move(events_); }

 private:
  void add_span(const JsonEvent& event);
  void add_kernel(const JsonEvent& event, std::uint32_t span, bool copy);
  void add_instant(const JsonEvent& event);
  void add_counters(const JsonEvent& event);
  void add_metadata(const JsonEvent& event);
  std::uint32_t line_of(const JsonEvent& event);
  std::uint32_t operator_name(const JsonEvent& event, std::uint64_t& external);
  void drop_python();

  KinetoEvents events_;
  JsonArgs args_;
  std::size_t python_ = 0;
  std::string key_;   // scratch
  std::string text_;  // scratch
  std::string last_key_;
  std::uint32_t last_line_ = 0;
};

// The spans' kinds, device layers, requests and rows. Ends the use of `events`.
Import kineto_layers(KinetoEvents events);

}  // namespace tachostat::trace

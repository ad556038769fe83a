// What the machine and the engines tell. Here: spans from every library that speaks ITT (OpenVINO,
// oneDNN, oneTBB), and the sampler that decides which requests pay for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "trace/trace.h"

namespace tachostat::probe {

// How deep to look. Each level costs more; the sampler learns how much.
enum class Depth : std::uint8_t {
  kOff,
  kLayers,    // requests and layers
  kKernels,   // and operators, primitives, worker bodies
  kCounters,  // requests and layers, and what each layer counts: cycles, misses, faults
};
std::string_view name_of(Depth depth);  // "off", "layers", …
absl::StatusOr<Depth> depth_named(std::string_view name);

class SpanCounterLog;  // probe/counters/span_counter_log.h

// A source of spans. SpanSource is the seam: the ITT collector is the real one, tests script
// another.
class SpanSource {
 public:
  virtual ~SpanSource() = default;
  // Whether spans flow at all, and the reason when not ("INTEL_LIBITTNOTIFY64 is not set to …").
  virtual absl::Status available() const = 0;
  // Thread-safe, a handful of stores: from now on threads emit spans down to `depth`.
  virtual void set_depth(Depth depth) = 0;
  // Moves what was emitted since the last call into `out`, names and thread names included. One
  // caller at a time.
  virtual void drain(trace::Trace& out) = 0;
  // Spans emitted so far, dropped ones included: what the sampler charges for.
  virtual std::uint64_t emitted() const = 0;
  // What one span costs its thread, measured at start on this machine.
  virtual double nanoseconds_per_span() const = 0;
  // What counts at kCounters, or null when nothing can; then available_at(kCounters) says why.
  virtual SpanCounterLog* counters() { return nullptr; }
  virtual absl::Status available_at(Depth depth);
};

// The process's ITT collector, libtachostat_itt.so. OpenVINO and friends find it by the environment
// variable INTEL_LIBITTNOTIFY64, which must name it before they use ITT for the first time. A
// program that is linked with this library has that done before main(), by the collector's
// constructor; ensure_itt_environment() only does it again where that was not so, and is harmless
// otherwise. When another collector is named, it keeps its place and available() says so.
void ensure_itt_environment(char** argv);
SpanSource& itt_source();

struct SamplerOptions {
  double budget = 0.005;  // largest share of request time that looking may cost
  Depth depth = Depth::kKernels;
  int warmup = 8;  // requests looked at in any case, to learn the cost
};

// Decides which requests are looked at, so that the cost stays inside the budget, and knows the
// cost.
//
// The cost of a looked-at request is (spans emitted during it × measured cost per span) ÷ its
// duration; the overhead over all requests is that cost × the share of requests looked at. The
// share follows from the budget. Domains are process-wide switches: while one request is looked at,
// those that run beside it emit too; they are counted as looked at.
//
// Thread-safe; on_start and on_end are called by engine threads and take no lock on the path of a
// request that is not looked at. A request's on_end must come on the thread of its on_start. One
// sampler per source at a time: it owns the switch.
class Sampler {
 public:
  Sampler(SpanSource& source, SamplerOptions options);

  void on_start(std::uint64_t session) noexcept;
  void on_end(const trace::ExecutionMark& mark) noexcept;

  // Look at every request from now on, whatever the cost (a profile was asked for), or back to the
  // budget.
  void set_always(bool always);
  // kOff stops looking.
  void set_depth(Depth depth);

  // Whether the source gives spans as deep as that.
  absl::Status available(Depth depth) const;
  // The source's; see SpanSource.
  SpanCounterLog* counters() const;

  struct Report {
    std::uint64_t requests = 0;
    std::uint64_t sampled = 0;
    double cost_when_sampled = 0;  // share of a looked-at request's time
    double overhead = 0;           // share over all requests
    double budget = 0;
    std::uint64_t dropped_spans = 0;
  };
  Report report() const;

  // The spans and marks of looked-at requests since the last call; only of those that were looked
  // at from end to end, and spans of worker threads only for those that ran alone (else nobody can
  // tell whose work they did).
  trace::Trace drain();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tachostat::probe

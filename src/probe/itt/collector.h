// What libtachostat_itt.so offers to the probe library. The same library is loaded by every
// instrumented library of the process through ITT's own door (environment.cc), so both sides share
// one collector. All functions are thread-safe unless they say otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "trace/trace.h"

#define TACHOSTAT_ITT_EXPORT __attribute__((visibility("default")))

namespace tachostat::probe::itt {

// The values of probe::Depth, which this library doesn't see, and kAll: domains that only the
// recording of a whole process looks at.
enum class Level : std::uint8_t { kOff, kLayers, kKernels, kAll };

// Why instrumented libraries will not find this collector; empty when they will.
TACHOSTAT_ITT_EXPORT const std::string& trouble();
// Where this library lies; empty when the loader does not tell.
TACHOSTAT_ITT_EXPORT std::string library_path();
// Points ITT's environment variable at this library, unless another collector has it. The library
// does so by itself when it is loaded; again is harmless. The caller reads the spans itself: a
// recording of this process (recorder.h) ends.
TACHOSTAT_ITT_EXPORT void prepare_environment();

TACHOSTAT_ITT_EXPORT void set_level(Level level);
// Told of every layer's begin and end while set, on the layer's thread: for counters of events. An
// end is told of only when its begin was, in the same epoch or before the switch moved.
struct LayerHooks {
  void (*begin)(std::uint64_t epoch) noexcept;
  void (*end)(std::uint64_t epoch, const trace::Span& span) noexcept;
};
// Null takes them away. What they point to must stay for ever.
TACHOSTAT_ITT_EXPORT void set_layer_hooks(const LayerHooks* hooks);
// One caller at a time.
TACHOSTAT_ITT_EXPORT void drain(trace::Trace& out);
TACHOSTAT_ITT_EXPORT std::uint64_t emitted();
// How many instrumented libraries have called in so far.
TACHOSTAT_ITT_EXPORT int libraries();
// Times the recording of a span on this machine, for a few milliseconds.
TACHOSTAT_ITT_EXPORT double measure_nanoseconds_per_span();

}  // namespace tachostat::probe::itt

// What a recorded process left behind, any bytes: an error, or a trace that holds together.
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <string>
#include <vector>

#include "trace/formats/recording.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tachostat::trace;
  // The reader takes a path: a file in memory has one.
  static const int kFile = memfd_create("recording", 0);
  static const std::string kPath = "/proc/self/fd/" + std::to_string(kFile);
  FUZZ_REQUIRE(kFile >= 0 && ftruncate(kFile, 0) == 0);
  FUZZ_REQUIRE(pwrite(kFile, data, size, 0) == static_cast<ssize_t>(size));
  auto recording = read_recording(kPath);
  if (!recording.ok()) return 0;
  std::vector<ProcessRecording> processes;
  processes.push_back(*recording);
  processes.push_back(*std::move(recording));
  const Trace trace = merge(std::move(processes));
  for (const Span& span : trace.spans) {
    FUZZ_REQUIRE(span.name < trace.names.size());
    FUZZ_REQUIRE(span.begin_ns <= span.end_ns);
  }
  for (const CounterTrack& counter : trace.counters) {
    std::uint64_t last = 0;
    for (const auto& [at, value] : counter.points) {
      FUZZ_REQUIRE(at >= last && std::isfinite(value));
      last = at;
    }
  }
  return 0;
}

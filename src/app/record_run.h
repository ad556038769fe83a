// Runs a foreign command with our span collector in its processes, and gathers what they wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

struct RecordOptions {
  std::vector<std::string> command = {};  // at least one word
  std::string depth = "all";              // layers, kernels or all
  // After it the command is asked to end (SIGTERM), and killed 10 s later.
  std::optional<base::Duration> duration = {};
};

struct RecordRun {
  struct Process {
    std::uint32_t number = 0;
    std::string name = {};
    std::vector<std::string> libraries = {};  // "ITT /path", "NVTX /path"
    std::size_t spans = 0;
    bool ended = false;  // in an orderly way, so that nothing is missing
  };
  trace::Trace trace = {};
  std::size_t spans = 0;
  std::size_t counters = 0;
  std::uint64_t dropped = 0;
  std::vector<Process> processes = {};  // that a library called in from
  std::vector<std::string> notes = {};
  int exit_code = 0;  // of the command; -1 when a signal ended it
  int signal = 0;
  bool timed_out = false;  // ended because of `duration`
};

// Its stdin, stdout and stderr are ours. SIGINT, SIGTERM and SIGHUP that are sent to us go to the
// command, and we wait for it; a Ctrl-C in a terminal has reached it already. Called from the main
// thread of a program without other threads, whose signals these are for the time.
// InvalidArgument: no such command, or it cannot be executed.
absl::StatusOr<RecordRun> record(const RecordOptions& options);

// The requests of a recording, of all its processes together, and their layers. Threads: as many as
// ran parallel bodies or primitives. Without a request it is empty.
profile::Profile profile_of(const trace::Trace& trace, const std::string& name);

}  // namespace tachostat::app

// What `tachostat record` found in the processes that it recorded: one file each, written by the
// span collector inside them (recording_layout.h, docs/design/recording.md).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "trace/trace.h"

namespace tachostat::trace {

struct ProcessRecording {
  std::uint32_t process = 0;
  std::string name = {};
  std::vector<std::string> libraries = {};  // "ITT /path/of/library", in order of calling in
  Trace trace = {};                         // threads from kLines on are lines of their own
  // Of each name: the NVTX domain, after "nvtx:"; empty for other names.
  std::vector<std::string> domains = {};
  bool ended = false;  // in an orderly way; else the last moments, and what was open, are missing
};

// A file that ends in the middle of a block is read up to there. InvalidArgument: no such file, or
// something in it is not as written by the collector.
absl::StatusOr<ProcessRecording> read_recording(const std::string& path);

// One trace of all. Threads are named "process/PID thread"; those whose number occurs in several
// processes, and lines that are no threads, get numbers of their own.
//
// What NVTX ranges are is told by how they nest on their thread. A range that is in no other is a
// request when it holds other ranges, or when its name says so (iteration, step, batch, request,
// infer, forward, predict, frame), unless a library marked requests inside it; ranges inside a
// request are layers. In a process without such requests all ranges are layers. Ranges that begin
// and end by number, and moments, stay kOther.
Trace merge(std::vector<ProcessRecording> processes);

}  // namespace tachostat::trace

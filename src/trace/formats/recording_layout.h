// The file that the span collector writes in a recorded process, one a process
// (docs/design/recording.md). Only appended to, block after block, so that what was written before
// a process was killed can be read. Numbers are of this machine: the file is read where it was
// made.
#pragma once

#include <cstdint>

namespace tachostat::trace::recording {

struct Header {
  char magic[8] = {'T', 'S', 'R', 'E', 'C', 0, 0, 1};
  std::uint32_t process = 0;
  std::uint32_t reserved = 0;
};

enum class Block : std::uint32_t {
  kProcess = 1,  // its name, as text
  kLibrary,      // text: a file that called in, after "ITT " or "NVTX "
  kName,         // u32 number, then text
  kThread,       // u32 thread, then its name; from kLines on: a line that is no thread
  kSpans,        // SpanRecord, any number
  kDropped,      // u64: spans lost since the last such block
  kCounter,      // u32 number, then its name
  kPoints,       // PointRecord, any number
  kEnd,          // the process ended in an orderly way; nothing follows
};

struct BlockHead {
  std::uint32_t type = 0;
  std::uint32_t size = 0;  // of what follows, in bytes; at most kMostBytes
};
inline constexpr std::uint32_t kMostBytes = 1 << 20;

// Lines for spans that begin on one thread and may end on another.
inline constexpr std::uint32_t kLines = 0x80000000u;

// Names of NVTX ranges are "\x1f", the domain, "\x1f", the message.
inline constexpr char kNvtx = '\x1f';

struct SpanRecord {
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  std::uint32_t name = 0;
  std::uint32_t thread = 0;
  std::uint32_t depth = 0;
  std::uint32_t kind = 0;  // trace::Kind
};

struct PointRecord {
  std::uint64_t time_ns = 0;
  double value = 0;
  std::uint32_t counter = 0;
  std::uint32_t reserved = 0;
};

}  // namespace tachostat::trace::recording

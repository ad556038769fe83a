// Spans of each thread as a tree: what every viewer draws.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "trace/trace.h"

namespace tachostat::trace {

struct Nested {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t span = 0;        // index into Trace::spans
  std::uint32_t parent = kNone;  // index into the result
  // Never beyond the parent's end; those of siblings don't overlap.
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
};

// Every span once, by thread and begin, parents before their children. Nesting follows the times;
// where they are equal, Span::depth. A span that ends after the one that encloses its begin is cut
// at that one's end; one that ends before it begins has no length.
std::vector<Nested> nest(const Trace& trace);

// Names of threads, "thread 12" for those without. Refers to nothing.
class ThreadNames {
 public:
  explicit ThreadNames(const Trace& trace);
  std::string of(std::uint32_t thread) const;

 private:
  std::unordered_map<std::uint32_t, std::string> names_;
};

// The mark that covers a moment on a thread. Refers to the trace.
class MarkIndex {
 public:
  explicit MarkIndex(const Trace& trace);
  // The latest to begin; null when none does.
  const ExecutionMark* at(std::uint32_t thread, std::uint64_t ns) const;

 private:
  std::vector<const ExecutionMark*> marks_;  // by thread and begin
};

// A span's name; "(unnamed)" when it is empty or not in the trace.
std::string_view shown_name(const Trace& trace, const Span& span);

}  // namespace tachostat::trace

// Spans folded into stacks, which is what flame graphs and pprof draw.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trace/trace.h"

namespace tachostat::trace {

// Stacks share their outer frames, as a tree.
struct Stacks {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  // Time that was spent with exactly the frames from the outermost to this one open.
  struct Stack {
    std::uint32_t parent = kNone;  // index into stacks, lower than its own; kNone: outermost
    std::uint32_t frame = 0;       // index into frames
    std::uint64_t self_ns = 0;
    std::uint64_t count = 0;  // spans that are its innermost frame
  };

  std::vector<std::string> frames = {};  // distinct
  std::vector<Stack> stacks = {};

  // Indices into frames, outermost first.
  std::vector<std::uint32_t> path(std::uint32_t stack) const;
};

// Grows a Stacks; equal frames below one parent are one.
class StacksBuilder {
 public:
  StacksBuilder();
  ~StacksBuilder();
  StacksBuilder(const StacksBuilder&) = delete;
  StacksBuilder& operator=(const StacksBuilder&) = delete;

  std::uint32_t frame(std::string_view name);
  // The stack `parent` with one more frame; Stacks::kNone for the outermost.
  std::uint32_t stack(std::uint32_t parent, std::uint32_t frame);
  void add(std::uint32_t stack, std::uint64_t self_ns, std::uint64_t count);
  Stacks take() { return std::move(stacks_); }

 private:
  struct Index;
  Stacks stacks_;
  std::unique_ptr<Index> index_;
};

// Deeper spans count as time of the frame at this depth, so that a hostile file's output stays in
// proportion to it.
inline constexpr std::size_t kDeepestStack = 128;

// In order of first appearance. The outermost frame is the thread's name, unless `by_thread` is
// false, which adds threads up. Nesting is nest()'s.
Stacks fold(const Trace& trace, bool by_thread = true);

}  // namespace tachostat::trace

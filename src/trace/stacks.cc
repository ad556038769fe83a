#include "trace/stacks.h"

#include <algorithm>
#include <unordered_map>

#include "trace/nesting.h"

namespace tachostat::trace {

struct StacksBuilder::Index {
  std::unordered_map<std::string, std::uint32_t> frames;
  std::unordered_map<std::uint64_t, std::uint32_t> stacks;  // parent and frame to stack
};

StacksBuilder::StacksBuilder() : index_(std::make_unique<Index>()) {}
StacksBuilder::~StacksBuilder() = default;

std::vector<std::uint32_t> Stacks::path(std::uint32_t stack) const {
  std::vector<std::uint32_t> path;
  for (; stack != kNone; stack = stacks[stack].parent) path.push_back(stacks[stack].frame);
  std::reverse(path.begin(), path.end());
  return path;
}

std::uint32_t StacksBuilder::frame(std::string_view name) {
  const auto [found, added] =
      index_->frames.emplace(name, static_cast<std::uint32_t>(stacks_.frames.size()));
  if (added) stacks_.frames.emplace_back(name);
  return found->second;
}

std::uint32_t StacksBuilder::stack(std::uint32_t parent, std::uint32_t frame) {
  const std::uint64_t key = (std::uint64_t{parent} << 32) | frame;
  const auto [found, added] =
      index_->stacks.emplace(key, static_cast<std::uint32_t>(stacks_.stacks.size()));
  if (added) stacks_.stacks.push_back({.parent = parent, .frame = frame});
  return found->second;
}

void StacksBuilder::add(std::uint32_t stack, std::uint64_t self_ns, std::uint64_t count) {
  stacks_.stacks[stack].self_ns += self_ns;
  stacks_.stacks[stack].count += count;
}

Stacks fold(const Trace& trace, bool by_thread) {
  const std::vector<Nested> nested = nest(trace);
  // Children's time is taken from their parents'; they don't overlap, so it never exceeds them.
  std::vector<std::uint64_t> self(nested.size());
  for (std::size_t i = 0; i < nested.size(); ++i) {
    self[i] = nested[i].end_ns - nested[i].begin_ns;
    if (nested[i].parent != Nested::kNone) self[nested[i].parent] -= self[i];
  }

  StacksBuilder builder;
  const ThreadNames threads(trace);
  std::vector<std::uint32_t> frames(trace.names.size(), Stacks::kNone);
  struct Place {
    std::uint32_t stack;
    std::size_t depth;
  };
  std::vector<Place> places(nested.size());
  std::uint32_t root = Stacks::kNone;
  for (std::size_t i = 0; i < nested.size(); ++i) {
    const Span& span = trace.spans[nested[i].span];
    if (by_thread && (i == 0 || trace.spans[nested[i - 1].span].thread != span.thread)) {
      root = builder.stack(Stacks::kNone, builder.frame(threads.of(span.thread)));
    }
    const Place above = nested[i].parent == Nested::kNone ? Place{root, by_thread ? 1u : 0u}
                                                          : places[nested[i].parent];
    if (above.depth >= kDeepestStack) {
      places[i] = above;
      builder.add(above.stack, self[i], 0);
      continue;
    }
    std::uint32_t frame = span.name < frames.size() ? frames[span.name] : Stacks::kNone;
    if (frame == Stacks::kNone) {
      frame = builder.frame(shown_name(trace, span));
      if (span.name < frames.size()) frames[span.name] = frame;
    }
    places[i] = {builder.stack(above.stack, frame), above.depth + 1};
    builder.add(places[i].stack, self[i], 1);
  }
  return builder.take();
}

}  // namespace tachostat::trace

#include "trace/nesting.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace tachostat::trace {
namespace {

std::uint64_t end_of(const Span& span) { return std::max(span.begin_ns, span.end_ns); }

// Whether `inner`, which sorts after it and begins at the latest when it ends, lies inside `outer`.
bool encloses(const Span& outer, std::uint64_t outer_end, const Span& inner) {
  if (outer.thread != inner.thread) return false;
  if (inner.begin_ns < outer_end) return true;
  // At one moment, only depth can tell.
  return inner.begin_ns == outer_end && outer.begin_ns == outer_end && end_of(inner) == outer_end &&
         outer.depth < inner.depth;
}

}  // namespace

std::vector<Nested> nest(const Trace& trace) {
  std::vector<std::uint32_t> order(trace.spans.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
    const Span& a = trace.spans[left];
    const Span& b = trace.spans[right];
    const std::uint64_t a_end = end_of(a);
    const std::uint64_t b_end = end_of(b);
    return std::tie(a.thread, a.begin_ns, b_end, a.depth, left) <
           std::tie(b.thread, b.begin_ns, a_end, b.depth, right);
  });

  std::vector<Nested> nested;
  nested.reserve(order.size());
  std::vector<std::uint32_t> open;  // indices into nested, outermost first
  for (const std::uint32_t index : order) {
    const Span& span = trace.spans[index];
    while (!open.empty() &&
           !encloses(trace.spans[nested[open.back()].span], nested[open.back()].end_ns, span)) {
      open.pop_back();
    }
    Nested here{.span = index, .begin_ns = span.begin_ns, .end_ns = end_of(span)};
    if (!open.empty()) {
      here.parent = open.back();
      here.end_ns = std::min(here.end_ns, nested[here.parent].end_ns);
    }
    open.push_back(static_cast<std::uint32_t>(nested.size()));
    nested.push_back(here);
  }
  return nested;
}

ThreadNames::ThreadNames(const Trace& trace) {
  for (const auto& [thread, name] : trace.threads) {
    if (!name.empty()) names_.emplace(thread, name);
  }
}

std::string ThreadNames::of(std::uint32_t thread) const {
  const auto found = names_.find(thread);
  return found == names_.end() ? "thread " + std::to_string(thread) : found->second;
}

MarkIndex::MarkIndex(const Trace& trace) {
  for (const ExecutionMark& mark : trace.marks) marks_.push_back(&mark);
  std::stable_sort(marks_.begin(), marks_.end(), [](const auto* a, const auto* b) {
    return std::tie(a->thread, a->begin_ns) < std::tie(b->thread, b->begin_ns);
  });
}

const ExecutionMark* MarkIndex::at(std::uint32_t thread, std::uint64_t ns) const {
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), std::pair(thread, ns),
                                      [](const auto& key, const auto* mark) {
                                        return key < std::pair(mark->thread, mark->begin_ns);
                                      });
  if (after == marks_.begin()) return nullptr;
  const ExecutionMark* mark = *std::prev(after);
  return mark->thread == thread && mark->end_ns >= ns ? mark : nullptr;
}

std::string_view shown_name(const Trace& trace, const Span& span) {
  if (span.name >= trace.names.size() || trace.names[span.name].empty()) return "(unnamed)";
  return trace.names[span.name];
}

}  // namespace tachostat::trace

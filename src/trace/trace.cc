#include "trace/trace.h"

#include <array>
#include <bit>

namespace tachostat::trace {
namespace {

// By the value of Kind.
constexpr std::array<std::string_view, 7> kNames = {"request", "layer", "operator", "primitive",
                                                    "worker",  "stage", "other"};

}  // namespace

std::string_view name_of(Kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kNames.size() ? kNames[index] : kNames.back();
}

std::optional<Kind> kind_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

// A capacity that is no power of two is rounded up.
SpanRing::SpanRing(std::uint32_t thread, std::size_t capacity_power_of_two)
    : thread_(thread), mask_(std::bit_ceil(capacity_power_of_two) - 1), spans_(mask_ + 1) {}

// head_ and tail_ count up for ever; their difference is the fill. The writer publishes a span with
// the release of head_, the reader gives its place back with the release of tail_.
bool SpanRing::push(const Span& span) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (head - tail_.load(std::memory_order_acquire) > mask_) {
    // One writer, so no read-modify-write is needed.
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  spans_[head & mask_] = span;
  head_.store(head + 1, std::memory_order_release);
  return true;
}

void SpanRing::drain(std::vector<Span>& out) {
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  out.reserve(out.size() + static_cast<std::size_t>(head - tail));
  for (; tail != head; ++tail) out.push_back(spans_[tail & mask_]);
  tail_.store(tail, std::memory_order_release);
}

}  // namespace tachostat::trace

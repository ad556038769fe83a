#include "trace/formats/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <tuple>

namespace tachostat::trace {

std::uint32_t Numbers::of(std::string_view text) {
  const auto found = numbers_.find(absl::string_view(text.data(), text.size()));
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(texts_.size());
  texts_.emplace_back(text);
  numbers_.emplace(texts_.back(), number);
  return number;
}

std::uint32_t Timeline::add(std::uint32_t name, std::uint32_t line, std::int64_t begin_ns,
                            std::int64_t duration_ns, Kind kind) {
  std::int64_t end_ns = 0;
  if (duration_ns < 0 || __builtin_add_overflow(begin_ns, duration_ns, &end_ns)) {
    ++left_out;
    return kNone;
  }
  spans_.push_back({.begin_ns = static_cast<std::uint64_t>(begin_ns),
                    .end_ns = static_cast<std::uint64_t>(end_ns),
                    .name = name,
                    .thread = line,
                    .kind = kind});
  return static_cast<std::uint32_t>(spans_.size() - 1);
}

void Timeline::add_point(const std::string& track, std::string_view unit, std::int64_t at_ns,
                         double value) {
  CounterTrack& counter = counters_[track];
  counter.unit = unit;
  counter.points.emplace_back(static_cast<std::uint64_t>(at_ns), value);
}

std::vector<std::uint32_t> Timeline::in_order() const {
  std::vector<std::uint32_t> order(spans_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    const Span& x = spans_[a];
    const Span& y = spans_[b];
    // ~ turns the order round for every value. Of spans with equal times the outer kind comes
    // first, then whichever the file has first.
    return std::make_tuple(x.thread, begin_of(x), ~end_of(x), x.kind, a) <
           std::make_tuple(y.thread, begin_of(y), ~end_of(y), y.kind, b);
  });
  return order;
}

// Nobody's clock starts below zero; some tools' do, relative to when recording began.
void Timeline::shift_to_zero(std::vector<std::string>& notes) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  for (const Span& span : spans_) {
    first = std::min(first, begin_of(span));
    last = std::max(last, end_of(span));
  }
  for (const auto& [name, counter] : counters_) {
    for (const auto& [at, value] : counter.points) {
      first = std::min(first, static_cast<std::int64_t>(at));
      last = std::max(last, static_cast<std::int64_t>(at));
    }
  }
  if (first == 0) return;
  // In unsigned arithmetic: the whole range of 64 bits fits.
  const std::uint64_t shift = std::uint64_t{0} - static_cast<std::uint64_t>(first);
  for (Span& span : spans_) {
    span.begin_ns += shift;
    span.end_ns += shift;
  }
  for (auto& [name, counter] : counters_) {
    for (auto& [at, value] : counter.points) at += shift;
  }
  notes.push_back(fmt::format("times began {} ns before zero; all were moved by that", shift));
}

Trace Timeline::finish(std::vector<std::string>& notes) {
  const std::vector<std::uint32_t> order = in_order();
  walk_nesting(spans_, order, [this](std::uint32_t index, std::uint32_t parent) {
    spans_[index].depth = parent == kNone ? 0 : spans_[parent].depth + 1;
  });
  shift_to_zero(notes);
  if (left_out > 0) {
    notes.push_back(fmt::format("{} events without usable times or JSON were left out", left_out));
  }
  Trace trace;
  const std::vector<std::string> lines = lines_.take();
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    const auto label = labels_.find(i + 1);
    trace.threads.emplace_back(i + 1, label == labels_.end() ? lines[i] : label->second);
  }
  for (auto& [name, counter] : counters_) {
    counter.name = name;
    std::stable_sort(counter.points.begin(), counter.points.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    trace.counters.push_back(std::move(counter));
  }
  trace.names = names_.take();
  trace.spans = std::move(spans_);
  trace.flows = std::move(flows_);
  return trace;
}

bool parse_us(std::string_view text, std::int64_t& ns) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  std::int64_t value = 0;
  std::size_t i = 0;
  int decimals = -1;  // -1: before the point
  bool round_up = false;
  for (; i < digits.size(); ++i) {
    const char c = digits[i];
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (c >= '0' && c <= '9') {
      if (decimals == 3) {
        round_up = c >= '5';
        decimals = 4;
      } else if (decimals < 3) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value)) {
          return false;
        }
        if (decimals >= 0) ++decimals;
      }
    } else {
      break;
    }
  }
  if (i == 0 || (i == 1 && decimals == 0)) return false;
  if (i < digits.size()) {  // an exponent, or no number
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    number *= 1000;
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(number) < 9e18)) {
      return false;
    }
    ns = std::llround(number);
    return true;
  }
  for (int d = std::max(decimals, 0); d < 3; ++d) {
    if (__builtin_mul_overflow(value, 10, &value)) return false;
  }
  if (round_up && value < std::numeric_limits<std::int64_t>::max()) ++value;
  ns = negative ? -value : value;
  return true;
}

}  // namespace tachostat::trace

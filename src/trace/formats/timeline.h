// What every importer of a timeline needs: names and lines numbered, times of any sign, nesting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "trace/import.h"

namespace tachostat::trace {

// Numbers texts in order of first appearance.
class Numbers {
 public:
  std::uint32_t of(std::string_view text);
  std::vector<std::string> take() { return std::move(texts_); }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
  absl::flat_hash_map<std::string, std::uint32_t> numbers_;
};

// Collects spans whose times are nanoseconds on the tool's own axis, which may be negative, and
// turns them into a Trace. Single-threaded.
class Timeline {
 public:
  // A line of the picture by the tool's own key ("pid/tid"): numbered from 1.
  std::uint32_t line(std::string_view key) { return lines_.of(key) + 1; }
  void label(std::uint32_t line, std::string_view text) { labels_[line] = std::string(text); }
  std::uint32_t name(std::string_view text) { return names_.of(text); }
  const std::string& text(std::uint32_t name) const { return names_.texts()[name]; }

  // The new span's index. Spans that end before they begin, or whose end does not fit, are counted
  // as left out and have none (kNone).
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint32_t add(std::uint32_t name, std::uint32_t line, std::int64_t begin_ns,
                    std::int64_t duration_ns, Kind kind);
  void add_point(const std::string& track, std::string_view unit, std::int64_t at_ns, double value);
  void add_flow(std::uint32_t from, std::uint32_t to) { flows_.push_back({from, to}); }

  std::size_t size() const { return spans_.size(); }
  // Times in these are still signed numbers in an unsigned member: use begin_of() and end_of().
  std::vector<Span>& spans() { return spans_; }
  const std::vector<Span>& spans() const { return spans_; }
  static std::int64_t begin_of(const Span& span) {
    return static_cast<std::int64_t>(span.begin_ns);
  }
  static std::int64_t end_of(const Span& span) { return static_cast<std::int64_t>(span.end_ns); }
  // Indices of the spans: by line, then by begin, outer ones first.
  std::vector<std::uint32_t> in_order() const;

  std::uint64_t left_out = 0;
  // The trace, with depths set; moved later as a whole when times are below zero. Adds to `notes`
  // what was left out. Ends the use of this object.
  Trace finish(std::vector<std::string>& notes);

 private:
  void shift_to_zero(std::vector<std::string>& notes);

  Numbers names_;
  Numbers lines_;
  absl::flat_hash_map<std::uint32_t, std::string> labels_;
  std::vector<Span> spans_;
  std::vector<Flow> flows_;
  std::map<std::string, CounterTrack> counters_;
};

// Walks spans in Timeline::in_order() and calls visit(index, parent), where parent is the innermost
// span of the same line that is still open when this one begins, or Timeline::kNone.
template <class Visit>
void walk_nesting(const std::vector<Span>& spans, const std::vector<std::uint32_t>& order,
                  Visit visit) {
  std::vector<std::uint32_t> open;
  std::uint32_t line = 0;
  for (const std::uint32_t index : order) {
    const Span& span = spans[index];
    if (span.thread != line) open.clear();
    line = span.thread;
    while (!open.empty() && Timeline::end_of(spans[open.back()]) <= Timeline::begin_of(span)) {
      open.pop_back();
    }
    visit(index, open.empty() ? Timeline::kNone : open.back());
    open.push_back(index);
  }
}

// "12.345" microseconds as nanoseconds, exact up to the nanosecond and rounded below; any sign,
// exponents too. Nothing when it is no number or does not fit.
bool parse_us(std::string_view text, std::int64_t& ns);

}  // namespace tachostat::trace

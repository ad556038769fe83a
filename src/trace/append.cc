#include <algorithm>
#include <unordered_map>

#include "trace/trace.h"

namespace tachostat::trace {
namespace {

void append_counters(const Trace& part, Trace& whole) {
  for (const CounterTrack& track : part.counters) {
    const auto known = std::find_if(
        whole.counters.begin(), whole.counters.end(),
        [&](const CounterTrack& one) { return one.name == track.name && one.unit == track.unit; });
    if (known == whole.counters.end()) {
      whole.counters.push_back(track);
    } else {
      known->points.insert(known->points.end(), track.points.begin(), track.points.end());
    }
  }
}

}  // namespace

void append(const Trace& part, Trace& whole) {
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  whole.names.reserve(whole.names.size() + part.names.size());  // views stay valid
  for (std::size_t i = 0; i < whole.names.size(); ++i) {
    numbers.emplace(whole.names[i], static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> renumbered;
  renumbered.reserve(part.names.size());
  for (const std::string& name : part.names) {
    const auto known = numbers.find(name);
    if (known != numbers.end()) {
      renumbered.push_back(known->second);
      continue;
    }
    const auto number = static_cast<std::uint32_t>(whole.names.size());
    whole.names.push_back(name);
    numbers.emplace(whole.names.back(), number);
    renumbered.push_back(number);
  }
  const auto first = static_cast<std::uint32_t>(whole.spans.size());
  for (Span span : part.spans) {
    span.name = renumbered[span.name];
    whole.spans.push_back(span);
  }
  for (const Flow& flow : part.flows) whole.flows.push_back({flow.from + first, flow.to + first});
  whole.marks.insert(whole.marks.end(), part.marks.begin(), part.marks.end());
  for (const auto& thread : part.threads) {
    if (std::find(whole.threads.begin(), whole.threads.end(), thread) == whole.threads.end()) {
      whole.threads.push_back(thread);
    }
  }
  append_counters(part, whole);
  whole.dropped += part.dropped;
}

}  // namespace tachostat::trace

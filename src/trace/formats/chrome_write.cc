#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>
#include <tuple>

#include "trace/formats/chrome.h"
#include "trace/formats/text_writer.h"

namespace tachostat::trace {
namespace {

// Chrome counts in microseconds. Three decimals, always, keep nanoseconds exact.
std::string microseconds(std::uint64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

std::string times(std::uint64_t begin_ns, std::uint64_t end_ns) {
  return fmt::format(R"("ts":{},"dur":{})", microseconds(begin_ns),
                     microseconds(end_ns > begin_ns ? end_ns - begin_ns : 0));
}

// One event a line, so that files diff well.
class Writer {
 public:
  explicit Writer(std::ostream& out) : text_(out) {}

  template <class... Args>
  void event(fmt::format_string<Args...> format, Args&&... args) {
    text_.put("{}", first_ ? "\n" : ",\n");
    first_ = false;
    text_.put(format, std::forward<Args>(args)...);
  }

 private:
  TextWriter text_;
  bool first_ = true;
};

void write_marks(const Trace& trace, Writer& writer) {
  std::vector<const ExecutionMark*> marks;
  for (const ExecutionMark& mark : trace.marks) marks.push_back(&mark);
  std::sort(marks.begin(), marks.end(), [](const ExecutionMark* a, const ExecutionMark* b) {
    return std::tie(a->begin_ns, a->thread, a->session, a->end_ns, a->bucket) <
           std::tie(b->begin_ns, b->thread, b->session, b->end_ns, b->bucket);
  });
  for (const ExecutionMark* mark : marks) {
    writer.event(R"({{"ph":"X","pid":1,"tid":{},{},"cat":"execution","name":"session {}",)"
                 R"("args":{{"session":{},"bucket":{}}}}})",
                 mark->thread, times(mark->begin_ns, mark->end_ns), mark->session, mark->session,
                 json_text(mark->bucket));
  }
}

// A viewer draws a counter's numeric arguments; the unit stands where it does no harm.
void write_counters(const Trace& trace, Writer& writer) {
  for (const CounterTrack& track : trace.counters) {
    const std::string name = json_text(track.name);
    const std::string unit = json_text(track.unit);
    for (const auto& [ns, value] : track.points) {
      if (!std::isfinite(value)) continue;  // JSON has no such numbers
      writer.event(
          R"({{"ph":"C","pid":1,"tid":0,"ts":{},"cat":{},"name":{},"args":{{"value":{}}}}})",
          microseconds(ns), unit, name, value);
    }
  }
}

// Indices of the spans in the order in which they are written.
std::vector<std::uint32_t> order_of(const std::vector<Span>& spans) {
  std::vector<std::uint32_t> order(spans.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
    const Span& a = spans[left];
    const Span& b = spans[right];
    return std::tie(a.begin_ns, a.thread, a.depth, b.end_ns) <
           std::tie(b.begin_ns, b.thread, b.depth, a.end_ns);
  });
  return order;
}

void write_spans(const Trace& trace, const std::vector<std::uint32_t>& order, Writer& writer) {
  std::vector<std::string> names;
  names.reserve(trace.names.size());
  for (const std::string& name : trace.names) names.push_back(json_text(name));
  const std::string unnamed = json_text("");
  for (const std::uint32_t index : order) {
    const Span& span = trace.spans[index];
    writer.event(R"({{"ph":"X","pid":1,"tid":{},{},"cat":"{}","name":{},"args":{{"depth":{}}}}})",
                 span.thread, times(span.begin_ns, span.end_ns), name_of(span.kind),
                 span.name < names.size() ? names[span.name] : unnamed, span.depth);
  }
}

// Both ends name their span by its place among the file's spans, since times don't tell which of
// several that begin together is meant.
void write_flows(const Trace& trace, const std::vector<std::uint32_t>& order, Writer& writer) {
  if (trace.flows.empty()) return;
  std::vector<std::uint32_t> places(order.size());
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> flows;
  for (const Flow& flow : trace.flows) {
    if (flow.from >= places.size() || flow.to >= places.size()) continue;
    flows.emplace_back(places[flow.from], places[flow.to]);
  }
  std::sort(flows.begin(), flows.end());
  for (std::size_t id = 0; id < flows.size(); ++id) {
    const auto end = [&](std::string_view phase, std::uint32_t place) {
      const Span& span = trace.spans[order[place]];
      writer.event(
          R"({{{},"id":{},"pid":1,"tid":{},"ts":{},"cat":"flow","name":"flow","args":{{"span":{}}}}})",
          phase, id, span.thread, microseconds(span.begin_ns), place);
    };
    end(R"("ph":"s")", flows[id].first);
    end(R"("ph":"f","bp":"e")", flows[id].second);
  }
}

}  // namespace

void write_chrome(const Trace& trace, std::ostream& out) {
  out << fmt::format(
      R"({{"displayTimeUnit":"ns","otherData":{{"tachostat_format":1,"dropped_spans":{}}},"traceEvents":[)",
      trace.dropped);
  {
    Writer writer(out);
    writer.event(
        R"({{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{{"name":"tachostat"}}}})");
    for (const auto& [thread, name] : trace.threads) {
      writer.event(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":{}}}}})",
                   thread, json_text(name));
    }
    // Marks first: where times are equal a viewer nests what comes later inside what came before.
    write_marks(trace, writer);
    write_counters(trace, writer);
    const std::vector<std::uint32_t> order = order_of(trace.spans);
    write_spans(trace, order, writer);
    write_flows(trace, order, writer);
  }
  out << "\n]}\n";
}

}  // namespace tachostat::trace

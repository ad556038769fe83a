#include "trace/formats/speedscope.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <ostream>

#include "trace/formats/text_writer.h"
#include "trace/nesting.h"

namespace tachostat::trace {
namespace {

void begin_file(std::string_view title, std::size_t active, const std::vector<std::string>& frames,
                TextWriter& writer) {
  writer.put(
      R"({{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"tachostat",)"
      R"("name":{},"activeProfileIndex":{},"shared":{{"frames":[)",
      json_text(title), active);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    writer.put("{}{{\"name\":{}}}", i == 0 ? "" : ",", json_text(frames[i]));
  }
  writer.put("]}},\"profiles\":[");
}

// The entries [begin, end) of nested that are one thread's.
struct Stretch {
  std::uint32_t begin;
  std::uint32_t end;
};

std::vector<Stretch> by_thread(const Trace& trace, const std::vector<Nested>& nested) {
  std::vector<Stretch> stretches;
  for (std::uint32_t i = 0; i < nested.size(); ++i) {
    const bool new_thread =
        i == 0 || trace.spans[nested[i - 1].span].thread != trace.spans[nested[i].span].thread;
    if (new_thread) stretches.push_back({i, i});
    stretches.back().end = i + 1;
  }
  return stretches;
}

void write_events(const Trace& trace, const std::vector<Nested>& nested, Stretch stretch,
                  std::uint64_t origin, TextWriter& writer) {
  // Spans without a name share the frame after the last name.
  const auto frame = [&](std::uint32_t entry) {
    return std::min<std::size_t>(trace.spans[nested[entry].span].name, trace.names.size());
  };
  std::vector<std::uint32_t> open;
  bool first = true;
  const auto close_to = [&](std::uint32_t parent) {
    while (!open.empty() && open.back() != parent) {
      writer.put(R"(,{{"type":"C","frame":{},"at":{}}})", frame(open.back()),
                 nested[open.back()].end_ns - origin);
      open.pop_back();
    }
  };
  for (std::uint32_t i = stretch.begin; i < stretch.end; ++i) {
    close_to(nested[i].parent);
    writer.put(R"({}{{"type":"O","frame":{},"at":{}}})", first ? "" : ",", frame(i),
               nested[i].begin_ns - origin);
    first = false;
    open.push_back(i);
  }
  close_to(Nested::kNone);
}

}  // namespace

void write_speedscope(const Trace& trace, std::string_view title, std::ostream& out) {
  const std::vector<Nested> nested = nest(trace);
  const std::vector<Stretch> threads = by_thread(trace, nested);
  std::uint64_t origin = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t last = 0;
  for (const Nested& entry : nested) {
    origin = std::min(origin, entry.begin_ns);
    last = std::max(last, entry.end_ns);
  }
  // Opened at a thread that runs requests.
  std::size_t active = 0;
  for (std::size_t i = threads.size(); i-- > 0;) {
    for (std::uint32_t at = threads[i].begin; at < threads[i].end; ++at) {
      if (trace.spans[nested[at].span].kind == Kind::kRequest) active = i;
    }
  }
  std::vector<std::string> frames = trace.names;
  frames.emplace_back("(unnamed)");

  TextWriter writer(out);
  begin_file(title, active, frames, writer);
  const ThreadNames names(trace);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    const std::uint32_t thread = trace.spans[nested[threads[i].begin].span].thread;
    writer.put(
        R"({}{{"type":"evented","name":{},"unit":"nanoseconds","startValue":0,"endValue":{},"events":[)",
        i == 0 ? "\n" : ",\n", json_text(names.of(thread)), last - origin);
    write_events(trace, nested, threads[i], origin, writer);
    writer.put("]}}");
  }
  writer.put("]}}\n");
}

void write_speedscope(const Stacks& stacks, std::string_view title, std::ostream& out) {
  std::vector<std::uint32_t> weighted;
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < stacks.stacks.size(); ++i) {
    if (stacks.stacks[i].self_ns == 0) continue;
    weighted.push_back(i);
    total += stacks.stacks[i].self_ns;
  }
  TextWriter writer(out);
  begin_file(title, 0, stacks.frames, writer);
  writer.put(
      "\n{{\"type\":\"sampled\",\"name\":{},\"unit\":\"nanoseconds\",\"startValue\":0,"
      "\"endValue\":{},\"samples\":[",
      json_text(title), total);
  for (std::size_t i = 0; i < weighted.size(); ++i) {
    writer.put("{}[{}]", i == 0 ? "" : ",", fmt::join(stacks.path(weighted[i]), ","));
  }
  writer.put("],\"weights\":[");
  for (std::size_t i = 0; i < weighted.size(); ++i) {
    writer.put("{}{}", i == 0 ? "" : ",", stacks.stacks[weighted[i]].self_ns);
  }
  writer.put("]}}]}}\n");
}

}  // namespace tachostat::trace

// Anybody's Chrome trace events ("Trace Event Format"), when no importer knows the tool better.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/json_events.h"
#include "trace/formats/timeline.h"

namespace tachostat::trace {
namespace {

// Categories that tools use for what we call so, in lower case; our own words beside them.
constexpr std::pair<std::string_view, Kind> kCategories[] = {
    {"op", Kind::kLayer},
    {"node", Kind::kLayer},
    {"layer", Kind::kLayer},
    {"cpu_op", Kind::kLayer},
    {"request", Kind::kRequest},
    {"inference", Kind::kRequest},
    {"step", Kind::kRequest},
    {"operator", Kind::kLayer},
    {"kernel", Kind::kPrimitive},
    {"primitive", Kind::kPrimitive},
    {"gpu_memcpy", Kind::kPrimitive},
    {"worker", Kind::kWorker},
    {"stage", Kind::kStage},
    {"session", Kind::kStage},
};

Kind kind_of(std::string_view category) {
  std::string lower(category);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [theirs, kind] : kCategories) {
    if (lower == theirs) return kind;
  }
  return Kind::kOther;
}

class ChromeReader {
 public:
  void add(const JsonEvent& event) {
    if (event.phase == "X") {
      if (event.begin_ns && event.duration_ns) {
        add_span(event, *event.begin_ns, *event.duration_ns);
      } else {
        ++timeline.left_out;
      }
    } else if (event.phase == "B") {
      begin(event);
    } else if (event.phase == "E") {
      end(event);
    } else if (event.phase == "C") {
      add_counters(event);
    } else if (event.phase == "M") {
      add_metadata(event);
    } else if (event.phase == "s" || event.phase == "f" || event.phase == "t") {
      add_flow(event);
    } else {
      ++other_phases_;
    }
  }

  Import finish() {
    for (const auto& [line, open] : open_) unfinished_ += open.size();
    choose_layers();
    join_flows();
    Import import{.tool = "chrome"};
    write_rows(import);
    if (unfinished_ > 0) {
      import.notes.push_back(fmt::format("{} spans begin or end only once; left out", unfinished_));
    }
    if (other_phases_ > 0) {
      import.notes.push_back(fmt::format(
          "{} events that are no spans, counters or flows were left out", other_phases_));
    }
    if (leaves_) {
      import.notes.emplace_back(
          "no category says which spans are layers: those with no other span inside were taken");
    }
    import.trace = timeline.finish(import.notes);
    return import;
  }

  Timeline timeline;

 private:
  struct Open {
    std::uint32_t name;
    std::int64_t begin_ns;
    Kind kind;
  };
  struct FlowEnd {
    std::int64_t at_ns;
    std::uint32_t line;
  };

  std::uint32_t line_of(const JsonEvent& event) {
    return timeline.line(fmt::format("{}/{}", event.pid, event.tid));
  }

  void add_span(const JsonEvent& event, std::int64_t begin_ns, std::int64_t duration_ns) {
    timeline.add(timeline.name(event.name), line_of(event), begin_ns, duration_ns,
                 kind_of(event.category));
  }

  void begin(const JsonEvent& event) {
    std::vector<Open>& open = open_[line_of(event)];
    if (!event.begin_ns || open.size() >= kDeepest) {
      ++timeline.left_out;
      return;
    }
    open.push_back({timeline.name(event.name), *event.begin_ns, kind_of(event.category)});
  }

  void end(const JsonEvent& event) {
    const std::uint32_t line = line_of(event);
    std::vector<Open>& open = open_[line];
    if (open.empty() || !event.begin_ns) {
      ++unfinished_;
      return;
    }
    const Open last = open.back();
    open.pop_back();
    std::int64_t duration = 0;
    if (__builtin_sub_overflow(*event.begin_ns, last.begin_ns, &duration)) duration = -1;
    timeline.add(last.name, line, last.begin_ns, duration, last.kind);
  }

  void add_counters(const JsonEvent& event) {
    if (!event.begin_ns) return;
    args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
      const auto number = JsonArgs::number(value);
      if (!number) return;
      const std::string track = key == event.name || key == "value"
                                    ? std::string(event.name)
                                    : fmt::format("{} {}", event.name, key);
      timeline.add_point(track, "1", *event.begin_ns, *number);
    });
  }

  void add_metadata(const JsonEvent& event) {
    if (event.name != "thread_name") return;
    args_.each(event.args, [&](std::string_view key, JsonArgs::Value& value) {
      if (key == "name") timeline.label(line_of(event), JsonArgs::string(value));
    });
  }

  void add_flow(const JsonEvent& event) {
    if (event.id.empty() || !event.begin_ns) return;
    const FlowEnd here{*event.begin_ns, line_of(event)};
    const std::string id = fmt::format("{}/{}", event.category, event.id);
    if (event.phase == "s") {
      flow_starts_.insert_or_assign(id, here);
    } else if (const auto start = flow_starts_.find(id); start != flow_starts_.end()) {
      flows_.emplace_back(start->second, here);
      start->second = here;
    }
  }

  void choose_layers() {
    std::vector<Span>& spans = timeline.spans();
    leaves_ = !spans.empty() && std::none_of(spans.begin(), spans.end(), [](const Span& span) {
      return span.kind == Kind::kLayer;
    });
    if (!leaves_) return;
    std::vector<bool> holds(spans.size());
    walk_nesting(spans, timeline.in_order(), [&](std::uint32_t, std::uint32_t parent) {
      if (parent != Timeline::kNone) holds[parent] = true;
    });
    for (std::size_t i = 0; i < spans.size(); ++i) {
      if (!holds[i] && spans[i].kind == Kind::kOther) spans[i].kind = Kind::kLayer;
    }
  }

  // A flow's end belongs to the innermost span of its line that is open then.
  void join_flows() {
    if (flows_.empty()) return;
    const std::vector<std::uint32_t> order = timeline.in_order();
    const std::vector<Span>& spans = timeline.spans();
    const auto span_at = [&](const FlowEnd& end) {
      auto after = std::upper_bound(order.begin(), order.end(), end,
                                    [&](const FlowEnd& at, std::uint32_t index) {
                                      const Span& span = spans[index];
                                      return std::make_pair(at.line, at.at_ns) <
                                             std::make_pair(span.thread, Timeline::begin_of(span));
                                    });
      // Few spans lie inside one another; a hostile file must not make this slow.
      for (int steps = 0; after != order.begin() && steps < 64; ++steps) {
        const Span& span = spans[*--after];
        if (span.thread != end.line) break;
        if (Timeline::end_of(span) >= end.at_ns) return *after;
      }
      return Timeline::kNone;
    };
    for (const auto& [from, to] : flows_) {
      const std::uint32_t a = span_at(from);
      const std::uint32_t b = span_at(to);
      if (a != Timeline::kNone && b != Timeline::kNone && a != b) timeline.add_flow(a, b);
    }
  }

  void write_rows(Import& import) {
    absl::flat_hash_map<std::uint32_t, bool> seen;
    for (const Span& span : timeline.spans()) {
      if (span.kind == Kind::kLayer && seen.try_emplace(span.name, true).second) {
        import.layers.push_back({.name = timeline.text(span.name)});
      }
    }
  }

  static constexpr std::size_t kDeepest = 10'000;
  JsonArgs args_;
  std::map<std::uint32_t, std::vector<Open>> open_;
  absl::flat_hash_map<std::string, FlowEnd> flow_starts_;
  std::vector<std::pair<FlowEnd, FlowEnd>> flows_;
  std::uint64_t unfinished_ = 0;
  std::uint64_t other_phases_ = 0;
  bool leaves_ = false;
};

bool recognises(std::string_view start, std::string_view) {
  const std::size_t first = start.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == start.npos) return false;
  if (start[first] == '{') return start.find("\"traceEvents\"") != start.npos;
  return start[first] == '[' && start.find("\"ph\"") != start.npos;
}

absl::StatusOr<Import> read(Input& input) {
  JsonEvents json(input);
  ChromeReader reader;
  TS_RETURN_IF_ERROR(json.each([&](const JsonEvent& event) { reader.add(event); }));
  reader.timeline.left_out += json.invalid();
  return reader.finish();
}

}  // namespace

extern const Importer kChrome;
const Importer kChrome = {"chrome", "any tool's Chrome trace events, as Perfetto's UI opens them",
                          recognises, read};

}  // namespace tachostat::trace

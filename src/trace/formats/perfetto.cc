#include "trace/formats/perfetto.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "base/utf8.h"
#include "perfetto.pb.h"
#include "trace/links.h"
#include "trace/nesting.h"

namespace tachostat::trace {
namespace {

// Any numbers do that are not zero and not equal.
constexpr std::uint64_t kProcess = 1;
constexpr std::uint64_t kThreads = std::uint64_t{1} << 32;
constexpr std::uint64_t kCounters = std::uint64_t{1} << 33;
constexpr std::uint32_t kSequence = 1;
constexpr int kPid = 1;
enum AnnotationName : std::uint64_t { kSession = 1, kBucket = 2 };

// A name's interned id; 1 is for spans without a name, 0 is not allowed.
std::uint64_t iid_of(const Trace& trace, const Span& span) {
  return span.name < trace.names.size() && !trace.names[span.name].empty() ? span.name + 2u : 1u;
}
std::uint64_t iid_of(Kind kind) { return static_cast<std::uint64_t>(kind) + 1; }

// A flow as one end of it sees it. Ids count up from 1.
struct FlowEnd {
  std::uint32_t span;
  std::uint64_t id;
};

struct FlowEnds {
  std::vector<FlowEnd> from, to;  // by span

  explicit FlowEnds(const std::vector<Flow>& flows, std::size_t spans) {
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (flows[i].from >= spans || flows[i].to >= spans) continue;
      from.push_back({flows[i].from, i + 1});
      to.push_back({flows[i].to, i + 1});
    }
    const auto by_span = [](const FlowEnd& a, const FlowEnd& b) { return a.span < b.span; };
    std::stable_sort(from.begin(), from.end(), by_span);
    std::stable_sort(to.begin(), to.end(), by_span);
  }

  template <class Add>
  static void each(const std::vector<FlowEnd>& ends, std::uint32_t span, const Add& add) {
    auto end = std::lower_bound(ends.begin(), ends.end(), span,
                                [](const FlowEnd& a, std::uint32_t b) { return a.span < b; });
    for (; end != ends.end() && end->span == span; ++end) add(end->id);
  }
};

class Writer {
 public:
  Writer(const Trace& trace, std::ostream& out) : trace_(trace), out_(out), marks_(trace) {}

  void write() {
    write_names();
    write_process();
    write_threads();
    write_counters();
    write_slices();
    out_ << buffer_;
  }

 private:
  // Appends packet_ as one field `packet` of Trace, and empties it.
  void put() {
    packet_.set_trusted_packet_sequence_id(kSequence);
    if (!packet_.has_sequence_flags()) {
      packet_.set_sequence_flags(perfetto::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
    }
    std::size_t size = packet_.ByteSizeLong();
    buffer_ += '\x0A';  // field 1, length-delimited
    for (; size >= 0x80; size >>= 7) buffer_ += static_cast<char>(size | 0x80);
    buffer_ += static_cast<char>(size);
    packet_.AppendPartialToString(&buffer_);
    packet_.Clear();
    if (buffer_.size() < 256 * 1024) return;
    out_ << buffer_;
    buffer_.clear();
  }

  void write_names() {
    packet_.set_sequence_flags(perfetto::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED |
                               perfetto::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
    perfetto::InternedData& names = *packet_.mutable_interned_data();
    const auto add = [](perfetto::InternedName* to, std::uint64_t iid, std::string_view name) {
      to->set_iid(iid);
      to->set_name(base::to_utf8(name));
    };
    for (int kind = 0; kind <= static_cast<int>(Kind::kOther); ++kind) {
      add(names.add_event_categories(), iid_of(static_cast<Kind>(kind)),
          name_of(static_cast<Kind>(kind)));
    }
    add(names.add_event_names(), 1, "(unnamed)");
    for (std::size_t i = 0; i < trace_.names.size(); ++i) {
      if (!trace_.names[i].empty()) add(names.add_event_names(), i + 2, trace_.names[i]);
    }
    add(names.add_debug_annotation_names(), kSession, "session");
    add(names.add_debug_annotation_names(), kBucket, "bucket");
    put();
  }

  void write_process() {
    perfetto::TrackDescriptor& track = *packet_.mutable_track_descriptor();
    track.set_uuid(kProcess);
    track.mutable_process()->set_pid(kPid);
    track.mutable_process()->set_process_name("tachostat");
    if (trace_.dropped > 0) {
      track.mutable_process()->add_process_labels(fmt::format("{} spans lost", trace_.dropped));
    }
    put();
  }

  void write_threads() {
    std::vector<std::uint32_t> threads;
    for (const Span& span : trace_.spans) {
      if (threads.empty() || threads.back() != span.thread) threads.push_back(span.thread);
    }
    for (const auto& [thread, name] : trace_.threads) threads.push_back(thread);
    std::sort(threads.begin(), threads.end());
    threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
    const ThreadNames names(trace_);
    for (const std::uint32_t thread : threads) {
      perfetto::TrackDescriptor& track = *packet_.mutable_track_descriptor();
      track.set_uuid(kThreads + thread);
      track.set_parent_uuid(kProcess);
      track.mutable_thread()->set_pid(kPid);
      track.mutable_thread()->set_tid(thread);
      track.mutable_thread()->set_thread_name(base::to_utf8(names.of(thread)));
      put();
    }
  }

  void write_counters() {
    for (std::size_t i = 0; i < trace_.counters.size(); ++i) {
      const CounterTrack& counter = trace_.counters[i];
      perfetto::TrackDescriptor& track = *packet_.mutable_track_descriptor();
      track.set_uuid(kCounters + i);
      track.set_parent_uuid(kProcess);
      track.set_name(base::to_utf8(counter.name));
      track.mutable_counter()->set_unit_name(base::to_utf8(counter.unit));
      put();
      for (const auto& [ns, value] : counter.points) {
        packet_.set_timestamp(ns);
        perfetto::TrackEvent& event = *packet_.mutable_track_event();
        event.set_type(perfetto::TrackEvent::TYPE_COUNTER);
        event.set_track_uuid(kCounters + i);
        event.set_double_counter_value(value);
        put();
      }
    }
  }

  // A slice's beginning or end.
  struct Edge {
    std::uint64_t ns;
    std::uint32_t span;
    bool begins;
  };

  // Each thread's in the order in which its slices nest, also where times are equal.
  static std::vector<Edge> edges_of(const std::vector<Nested>& nested) {
    std::vector<Edge> edges;
    edges.reserve(nested.size() * 2);
    std::vector<std::uint32_t> open;
    const auto close_to = [&](std::uint32_t parent) {
      while (!open.empty() && open.back() != parent) {
        edges.push_back({nested[open.back()].end_ns, nested[open.back()].span, false});
        open.pop_back();
      }
    };
    for (std::uint32_t i = 0; i < nested.size(); ++i) {
      close_to(nested[i].parent);
      edges.push_back({nested[i].begin_ns, nested[i].span, true});
      open.push_back(i);
    }
    close_to(Nested::kNone);
    std::stable_sort(edges.begin(), edges.end(),
                     [](const Edge& a, const Edge& b) { return a.ns < b.ns; });
    return edges;
  }

  void write_slices() {
    const std::vector<Nested> nested = nest(trace_);
    std::vector<Flow> flows = trace_.flows;
    const std::vector<Flow> more = links(trace_, nested);
    flows.insert(flows.end(), more.begin(), more.end());
    const auto ends_of = [](const Flow& flow) { return std::pair(flow.from, flow.to); };
    std::sort(flows.begin(), flows.end(),
              [&](const Flow& a, const Flow& b) { return ends_of(a) < ends_of(b); });
    flows.erase(std::unique(flows.begin(), flows.end(),
                            [&](const Flow& a, const Flow& b) { return ends_of(a) == ends_of(b); }),
                flows.end());
    const FlowEnds ends(flows, trace_.spans.size());
    for (const Edge& edge : edges_of(nested)) {
      const Span& span = trace_.spans[edge.span];
      packet_.set_timestamp(edge.ns);
      perfetto::TrackEvent& event = *packet_.mutable_track_event();
      event.set_track_uuid(kThreads + span.thread);
      event.set_type(edge.begins ? perfetto::TrackEvent::TYPE_SLICE_BEGIN
                                 : perfetto::TrackEvent::TYPE_SLICE_END);
      if (edge.begins) {
        event.add_category_iids(iid_of(span.kind));
        event.set_name_iid(iid_of(trace_, span));
        FlowEnds::each(ends.from, edge.span, [&](std::uint64_t id) { event.add_flow_ids(id); });
        FlowEnds::each(ends.to, edge.span,
                       [&](std::uint64_t id) { event.add_terminating_flow_ids(id); });
        if (span.kind == Kind::kRequest) annotate(span, event);
      }
      put();
    }
  }

  void annotate(const Span& span, perfetto::TrackEvent& event) const {
    const ExecutionMark* mark = marks_.at(span.thread, span.begin_ns);
    if (mark == nullptr) return;
    perfetto::DebugAnnotation& session = *event.add_debug_annotations();
    session.set_name_iid(kSession);
    session.set_uint_value(mark->session);
    perfetto::DebugAnnotation& bucket = *event.add_debug_annotations();
    bucket.set_name_iid(kBucket);
    bucket.set_string_value(base::to_utf8(mark->bucket));
  }

  const Trace& trace_;
  std::ostream& out_;
  const MarkIndex marks_;
  perfetto::TracePacket packet_;  // kept, since it is emptied faster than made
  std::string buffer_;
};

}  // namespace

void write_perfetto(const Trace& trace, std::ostream& out) { Writer(trace, out).write(); }

}  // namespace tachostat::trace

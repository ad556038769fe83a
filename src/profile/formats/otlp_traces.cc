#include <array>
#include <ostream>
#include <unordered_map>

#include "base/hash.h"
#include "base/utf8.h"
#include "profile/formats/formats.h"
#include "profile/formats/otlp.h"
#include "profile/formats/otlp_messages.h"
#include "trace/nesting.h"

namespace tachostat::profile {
namespace {

using trace::Kind;
using trace::Nested;

// Kernels and worker bodies are left out: there are thousands of them in a request.
bool is_wanted(Kind kind) {
  return kind == Kind::kRequest || kind == Kind::kLayer || kind == Kind::kStage;
}

// The finalizer of splitmix64 (Steele, Lea and Flood, 2014): spreads counters over all bits.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string bytes_of(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  return bytes;
}

std::uint64_t seed_of(const ExportInput& input) {
  const std::string hash = base::sha256(input.profile.model + '\n' + input.profile.model_hash +
                                        '\n' + input.profile.variant + '\n' + input.profile.bucket);
  return std::stoull(hash.substr(0, 16), nullptr, 16);
}

// The ids of one inference's trace, from where and when its outermost span began.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  std::string bytes() const { return bytes_of(high) + bytes_of(low); }
  // All zero would be invalid.
  std::string span(std::uint32_t index) const { return bytes_of(mixed(low ^ mixed(index)) | 1); }
};

class Traces {
 public:
  explicit Traces(const ExportInput& input)
      : input_(input),
        nested_(trace::nest(input.trace)),
        marks_(input.trace),
        seed_(seed_of(input)) {
    for (const LayerProfile& layer : input.profile.layers) layers_.emplace(layer.name, &layer);
  }

  void make(std::size_t batch,
            const std::function<void(const otlp::ExportTraceServiceRequest&)>& take) {
    otlp::ExportTraceServiceRequest request;
    otlp::ResourceSpans& resource = *request.add_resource_spans();
    fill_resource(input_.profile, *resource.mutable_resource());
    otlp::ScopeSpans& scope = *resource.add_scope_spans();
    fill_scope(*scope.mutable_scope());
    // Per entry of nested_: the nearest one that is wanted, itself or around it.
    std::vector<std::uint32_t> nearest(nested_.size(), Nested::kNone);
    std::vector<TraceId> ids(nested_.size());
    for (std::uint32_t i = 0; i < nested_.size(); ++i) {
      const std::uint32_t parent =
          nested_[i].parent == Nested::kNone ? Nested::kNone : nearest[nested_[i].parent];
      const trace::Span& span = input_.trace.spans[nested_[i].span];
      nearest[i] = is_wanted(span.kind) ? i : parent;
      if (nearest[i] != i) continue;
      ids[i] = parent == Nested::kNone ? new_trace(i) : ids[parent];
      fill(i, parent, ids[i], *scope.add_spans());
      if (static_cast<std::size_t>(scope.spans_size()) < batch) continue;
      take(request);
      scope.clear_spans();
    }
    if (scope.spans_size() > 0) take(request);
  }

 private:
  std::uint64_t unix_ns(std::uint64_t ns) const {
    return ns + static_cast<std::uint64_t>(input_.trace_to_unix_ns);
  }

  TraceId new_trace(std::uint32_t index) const {
    const trace::Span& span = input_.trace.spans[nested_[index].span];
    TraceId id;
    id.high = mixed(seed_ ^ mixed(unix_ns(nested_[index].begin_ns)));
    id.low = mixed(id.high ^ mixed((std::uint64_t{span.thread} << 32) | index)) | 1;
    return id;
  }

  void fill(std::uint32_t index, std::uint32_t parent, const TraceId& id, otlp::Span& to) const {
    const trace::Span& span = input_.trace.spans[nested_[index].span];
    const std::string_view name = trace::shown_name(input_.trace, span);
    to.set_trace_id(id.bytes());
    to.set_span_id(id.span(index));
    if (parent != Nested::kNone) to.set_parent_span_id(id.span(parent));
    to.set_name(base::to_utf8(name));
    to.set_kind(otlp::Span::SPAN_KIND_INTERNAL);
    to.set_start_time_unix_nano(unix_ns(nested_[index].begin_ns));
    to.set_end_time_unix_nano(unix_ns(nested_[index].end_ns));
    OtlpAttributes& attributes = *to.mutable_attributes();
    add_attribute("tachostat.span.kind", trace::name_of(span.kind), attributes);
    if (span.kind == Kind::kRequest) {
      const trace::ExecutionMark* mark = marks_.at(span.thread, span.begin_ns);
      if (mark != nullptr) add_attribute("tachostat.bucket", mark->bucket, attributes);
    }
    if (span.kind != Kind::kLayer) return;
    const auto layer = layers_.find(name);
    if (layer == layers_.end()) return;
    add_layer_attributes(*layer->second, attributes);
    add_attribute("tachostat.layer.flops", layer->second->work.flops, attributes);
    add_attribute("tachostat.layer.bytes", layer->second->work.bytes(), attributes);
  }

  const ExportInput& input_;
  const std::vector<Nested> nested_;
  const trace::MarkIndex marks_;
  const std::uint64_t seed_;
  std::unordered_map<std::string_view, const LayerProfile*> layers_;
};

}  // namespace

void make_otlp_traces(const ExportInput& input, std::size_t batch,
                      const std::function<void(const otlp::ExportTraceServiceRequest&)>& take) {
  Traces(input).make(batch, take);
}

std::vector<std::string> otlp_traces(const ExportInput& input, std::size_t batch) {
  std::vector<std::string> requests;
  make_otlp_traces(input, batch, [&](const otlp::ExportTraceServiceRequest& request) {
    requests.push_back(request.SerializeAsString());
  });
  return requests;
}

absl::Status write_otlp_traces(const ExportInput& input, std::ostream& out) {
  std::string line;
  make_otlp_traces(input, kOtlpBatch, [&](const otlp::ExportTraceServiceRequest& request) {
    line.clear();
    append_otlp_json(request, line);
    out << line << '\n';
  });
  return absl::OkStatus();
}

}  // namespace tachostat::profile

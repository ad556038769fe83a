#include "app/layer_counters.h"

#include <algorithm>

#include "trace/nesting.h"

namespace tachostat::app {
namespace {

// Of requests that are over: their spans came, or never will.
std::uint64_t last_end(const trace::Trace& trace) {
  std::uint64_t end = 0;
  for (const trace::ExecutionMark& mark : trace.marks) end = std::max(end, mark.begin_ns);
  return end;
}

}  // namespace

void LayerCounters::add(const trace::Trace& trace) {
  if (log_ == nullptr) return;
  log_->drain(pending_);
  const trace::MarkIndex marks(trace);
  for (const probe::SpanCounters& of : probe::join(trace, pending_)) {
    const trace::Span& span = trace.spans[of.span];
    const trace::ExecutionMark* const mark = marks.at(span.thread, span.begin_ns);
    if (mark == nullptr || span.end_ns > mark->end_ns) continue;
    Sum& sum = sums_[{mark->session, mark->bucket}][trace.names[span.name]];
    sum.sum.add(of.difference);
    ++sum.spans;
  }
  const std::uint64_t over = last_end(trace);
  std::erase_if(pending_, [&](const auto& record) { return record.begin_ns < over; });
  if (pending_.size() > kMostPending) pending_.clear();
}

void LayerCounters::fill(std::uint64_t session, profile::Profile& profile) const {
  const auto found = sums_.find({session, profile.bucket});
  if (found == sums_.end()) return;
  for (profile::LayerProfile& layer : profile.layers) {
    const auto sum = found->second.find(layer.name);
    if (sum == found->second.end()) continue;
    for (auto& [name, mean] : log_->means(sum->second.sum, sum->second.spans)) {
      layer.metrics[std::move(name)] = mean;
    }
  }
}

}  // namespace tachostat::app

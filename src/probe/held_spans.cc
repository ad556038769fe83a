#include "probe/held_spans.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tachostat::probe {
namespace {

struct Interval {
  std::uint64_t begin;
  std::uint64_t end;
};

// Sorted, and those that overlap made one, so that one look finds the only candidate.
class Intervals {
 public:
  explicit Intervals(std::vector<Interval> all) {
    std::sort(all.begin(), all.end(),
              [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
    for (const Interval& next : all) {
      if (!merged_.empty() && next.begin < merged_.back().end) {
        merged_.back().end = std::max(merged_.back().end, next.end);
      } else {
        merged_.push_back(next);
      }
    }
  }
  bool cover(const trace::Span& span) const {
    auto after = std::upper_bound(
        merged_.begin(), merged_.end(), span.begin_ns,
        [](std::uint64_t begin, const Interval& interval) { return begin < interval.begin; });
    return after != merged_.begin() && span.end_ns <= std::prev(after)->end;
  }
  bool touches(const trace::Span& span) const {
    const auto after = std::lower_bound(
        merged_.begin(), merged_.end(), span.end_ns,
        [](const Interval& interval, std::uint64_t end) { return interval.begin < end; });
    return after != merged_.begin() && std::prev(after)->end > span.begin_ns;
  }

 private:
  std::vector<Interval> merged_;
};

// Which spans the requests cover. What a request's own thread does is told by the thread; what
// other threads do for it, by the time, and only when it ran alone.
class Cover {
 public:
  explicit Cover(const std::vector<HeldSpans::Looked>& requests) : alone_(alone_of(requests)) {
    std::map<std::uint32_t, std::vector<Interval>> by_thread;
    for (const HeldSpans::Looked& request : requests) {
      by_thread[request.mark.thread].push_back({request.mark.begin_ns, request.mark.end_ns});
    }
    for (auto& [thread, intervals] : by_thread) {
      threads_.emplace(thread, Intervals(std::move(intervals)));
    }
  }

  bool has(const trace::Span& span) const {
    // All threads' or none: half of them would look like idle workers. oneTBB keeps a worker's span
    // open while the thread looks for more work, so it may well reach into the next request.
    if (span.kind == trace::Kind::kWorker) return alone_.touches(span);
    const auto thread = threads_.find(span.thread);
    if (thread != threads_.end() && thread->second.cover(span)) return true;
    return span.kind == trace::Kind::kPrimitive && alone_.cover(span);
  }

 private:
  static std::vector<Interval> alone_of(const std::vector<HeldSpans::Looked>& requests) {
    std::vector<Interval> alone;
    for (const HeldSpans::Looked& request : requests) {
      if (request.alone) alone.push_back({request.mark.begin_ns, request.mark.end_ns});
    }
    return alone;
  }

  Intervals alone_;
  std::map<std::uint32_t, Intervals> threads_;
};

}  // namespace

trace::Trace HeldSpans::take(Known known) {
  trace::Trace out;
  out.dropped = std::exchange(inbox_.dropped, 0);
  batches_.push_back({known.last_started, std::exchange(inbox_.spans, {})});

  const Cover cover(known.requests);
  std::size_t held = 0;
  for (Batch& batch : batches_) {
    const auto rest =
        std::stable_partition(batch.spans.begin(), batch.spans.end(),
                              [&](const trace::Span& span) { return !cover.has(span); });
    out.spans.insert(out.spans.end(), rest, batch.spans.end());
    batch.spans.erase(rest, batch.spans.end());
    if (known.oldest_in_flight > batch.last_started) batch.spans.clear();
    held += batch.spans.size();
  }
  std::erase_if(batches_, [](const Batch& batch) { return batch.spans.empty(); });
  while (held > kMost) {
    held -= batches_.front().spans.size();
    out.dropped += batches_.front().spans.size();
    batches_.pop_front();
  }

  std::sort(inbox_.threads.begin(), inbox_.threads.end());
  inbox_.threads.erase(std::unique(inbox_.threads.begin(), inbox_.threads.end()),
                       inbox_.threads.end());
  if (!out.spans.empty()) {
    out.names = inbox_.names;
    out.threads = inbox_.threads;
  }
  for (Looked& request : known.requests) out.marks.push_back(std::move(request.mark));
  if (batches_.empty()) inbox_ = {};
  return out;
}

}  // namespace tachostat::probe

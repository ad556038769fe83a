#include "app/capture.h"

#include "app/evidence.h"
#include "base/status.h"

namespace tachostat::app {

namespace {

// Without what was sampled before somebody asked: it may be of another depth.
trace::Trace since(base::Time begin, const trace::Trace& drained) {
  const auto begin_ns = static_cast<std::uint64_t>(begin.time_since_epoch().count());
  trace::Trace trace = drained;
  std::erase_if(trace.marks, [&](const auto& mark) { return mark.begin_ns < begin_ns; });
  std::erase_if(trace.spans, [&](const auto& span) { return span.begin_ns < begin_ns; });
  trace.flows.clear();  // they count spans
  return trace;
}

}  // namespace

Capture::Capture(const base::Clock& clock, probe::Sampler& sampler, probe::Depth resting_depth,
                 bool resting_always)
    : clock_(clock),
      sampler_(sampler),
      resting_depth_(resting_depth),
      resting_always_(resting_always) {}

absl::Status Capture::start(const CaptureOptions& options) {
  TS_RETURN_IF_ERROR(sampler_.available(options.depth));
  base::MutexLock lock(mutex_);
  if (state_.phase == Phase::kRunning) {
    return base::failed_precondition(
        "a profile is being taken already: {} of {} requests so far; wait for it, or DELETE it",
        state_.requests, state_.options.requests);
  }
  state_ = {.phase = Phase::kRunning, .options = options};
  begin_ = clock_.now();
  deadline_ = begin_ + options.at_most;
  trace_ = {};
  builder_ = {};
  counters_ =
      LayerCounters(options.depth == probe::Depth::kCounters ? sampler_.counters() : nullptr);
  for (const auto& [session, info] : sessions_) builder_.add_session(session, info);
  sampler_.set_depth(options.depth);
  sampler_.set_always(true);
  return absl::OkStatus();
}

void Capture::put_back() {
  sampler_.set_always(resting_always_);
  sampler_.set_depth(resting_depth_);
  state_.phase = Phase::kDone;
}

void Capture::stop() {
  base::MutexLock lock(mutex_);
  if (state_.phase == Phase::kRunning) put_back();
}

Capture::State Capture::state() const {
  base::MutexLock lock(mutex_);
  State state = state_;
  if (state.phase == Phase::kRunning) {
    state.left = std::max(base::Duration(0), deadline_ - clock_.now());
  }
  return state;
}

void Capture::add_session(std::uint64_t session, const profile::SessionInfo& info) {
  base::MutexLock lock(mutex_);
  sessions_[session] = info;
  builder_.add_session(session, info);
}

void Capture::forget(std::uint64_t session) {
  base::MutexLock lock(mutex_);
  // What it measured stays in the profile that was asked for.
  sessions_.erase(session);
}

void Capture::advance(const trace::Trace& drained) {
  base::MutexLock lock(mutex_);
  if (state_.phase != Phase::kRunning) return;
  const trace::Trace fresh = since(begin_, drained);
  builder_.add(fresh);
  counters_.add(fresh);
  state_.requests += fresh.marks.size();
  if (trace_.spans.size() + fresh.spans.size() <= kMostSpans) {
    trace::append(fresh, trace_);
  } else {
    state_.spans_left_out = true;
  }
  if (state_.requests >= state_.options.requests || clock_.now() >= deadline_) put_back();
}

absl::Status Capture::finished() const {
  if (state_.phase == Phase::kIdle) {
    return base::not_found(
        "no profile was asked for: POST …/profiling with {{\"depth\": \"kernels\", \"requests\": "
        "200, \"duration\": \"30s\"}} first");
  }
  if (state_.phase == Phase::kRunning) {
    return base::unavailable("the profile is being taken: {} of {} requests so far",
                             state_.requests, state_.options.requests);
  }
  return absl::OkStatus();
}

absl::StatusOr<profile::Profile> Capture::profile() const {
  base::MutexLock lock(mutex_);
  TS_RETURN_IF_ERROR(finished());
  std::optional<profile::Profile> best;
  for (profile::Profile& candidate : builder_.profiles()) {
    if (best && candidate.request_time.count() <= best->request_time.count()) continue;
    best = std::move(candidate);
  }
  if (!best || best->request_time.count() == 0) {
    return base::unavailable(
        "no request came while the profile was taken; is there traffic on this model?");
  }
  for (const auto& [session, info] : sessions_) {
    if (info.variant.id() == best->variant) counters_.fill(session, *best);
  }
  best->overhead = sampler_.report().cost_when_sampled;  // of these: all were looked at
  return *std::move(best);
}

absl::StatusOr<trace::Trace> Capture::trace() const {
  base::MutexLock lock(mutex_);
  TS_RETURN_IF_ERROR(finished());
  return trace_;
}

}  // namespace tachostat::app

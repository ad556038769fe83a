// How it is decided, and why it is exact.
//
// A window is a stretch of time in which the source is switched on. `window_` counts its openings
// and closings: odd while one is open. A request that found it odd at its start and unchanged at
// its end was looked at from end to end, and is a sample; one that found it even and unchanged was
// not looked at; any other was looked at in part: it is charged for and counted, but is no sample.
//
// A request is charged in nanoseconds of span cost against a credit, to which each request adds its
// duration × budget. A window is opened when the credit reaches about what the last ones cost. The
// "about" is a seeded random factor around 1, so that the choice does not fall into step with a
// pattern in the requests. Spent is what was measured, so the long-run share is right whatever the
// guess was.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "probe/held_spans.h"
#include "probe/probe.h"

namespace tachostat::probe {
namespace {

// What on_start() leaves for on_end() of the same request, which comes on the same thread.
struct Ticket {
  std::uint64_t owner = 0;  // State::number; 0: no request
  std::uint64_t window = 0;
  std::uint64_t started = 0;  // requests started until then, itself included
  std::uint64_t number = 0;   // among looked-at requests, from 1; 0: not looked at
  bool alone = false;         // nothing was in flight
  bool chosen = false;        // it opened its window, and closes it
};
thread_local constinit Ticket t_ticket;

// Not the object's address: another sampler may get the same one later.
std::uint64_t next_state_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

bool is_open(std::uint64_t window) { return window % 2 == 1; }

constexpr std::size_t kMostRequestsHeld = 1 << 16;  // when nobody drains
constexpr int kMostEndsPerWindow = 1000;            // when the chosen request never ends
constexpr double kPicoseconds = 1000;               // per nanosecond

}  // namespace

struct Sampler::State {
  State(SpanSource& spans, SamplerOptions wanted)
      : number(next_state_number()),
        source(spans),
        budget(wanted.budget > 0 ? std::min(wanted.budget, 1.0) : 0.0),
        available(spans.available()),
        span_ns(std::max(0.0, spans.nanoseconds_per_span())),
        warmup_left(wanted.warmup),
        depth(wanted.depth) {
    stopped = !available.ok() || depth == Depth::kOff;
  }
  ~State() {
    base::MutexLock lock(mutex);
    close();
  }

  bool due() const {
    if (stopped.load(std::memory_order_relaxed)) return false;
    if (warmup_left.load(std::memory_order_relaxed) > 0) return true;
    return budget > 0 && credit_ps.load(std::memory_order_relaxed) >=
                             threshold_ps.load(std::memory_order_relaxed);
  }

  void open() TS_REQUIRES(mutex) {
    if (is_open(window)) return;
    counted = source.emitted();
    window_cost_ns = 0;
    ends = 0;
    // On first, then known to be on: who sees the window open has all its spans.
    source.set_depth(depth);
    ++window;
  }

  void close() TS_REQUIRES(mutex) {
    if (!is_open(window)) return;
    charge();
    ++window;
    source.set_depth(Depth::kOff);
    in_flight_looked.clear();  // none of them can become a sample now
    if (!always) plan_next();
  }

  void charge() TS_REQUIRES(mutex) {
    const std::uint64_t emitted = source.emitted();
    const double cost_ns = static_cast<double>(emitted - counted) * span_ns;
    counted = emitted;
    cost_total_ns += cost_ns;
    window_cost_ns += cost_ns;
    if (!always) credit_ps -= static_cast<std::int64_t>(cost_ns * kPicoseconds);
  }

  void plan_next() TS_REQUIRES(mutex) {
    constexpr double kNewest = 0.25;  // weight of the newest window in the guess
    expected_ns =
        expected_ns < 0 ? window_cost_ns : expected_ns + kNewest * (window_cost_ns - expected_ns);
    // At least one span's, so that an engine without spans is not looked at all the time for
    // nothing.
    const double guess_ps = std::max({expected_ns, span_ns, 1.0}) * kPicoseconds;
    threshold_ps = static_cast<std::int64_t>(
        guess_ps * std::uniform_real_distribution<double>(0.5, 1.5)(random));
    // Credit that could not be spent is no reason to look at many requests in a row later.
    const auto most = static_cast<std::int64_t>(4 * guess_ps);
    const std::int64_t credit = credit_ps;
    if (credit > most) credit_ps -= credit - most;
  }

  // A request that began on this thread and whose end was never told.
  void abandon(Ticket& ticket) {
    in_flight.fetch_sub(1);
    if (ticket.number == 0) return;
    base::MutexLock lock(mutex);
    in_flight_looked.erase(ticket.number);
    if (ticket.chosen && !always && ticket.window == window) close();
  }

  void end_looked_at(const Ticket& ticket, const trace::ExecutionMark& mark);

  const std::uint64_t number;
  SpanSource& source;
  const double budget;
  const absl::Status available;
  const double span_ns;

  // Read and written without the lock.
  std::atomic<std::uint64_t> window{0};  // written under the lock
  std::atomic<bool> stopped{false};
  std::atomic<int> warmup_left;
  std::atomic<std::int64_t> credit_ps{0};
  std::atomic<std::int64_t> threshold_ps{0};
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::int64_t> in_flight{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_ns{0};

  mutable base::Mutex mutex;
  Depth depth TS_GUARDED_BY(mutex);
  bool always TS_GUARDED_BY(mutex) = false;
  std::uint64_t counted TS_GUARDED_BY(mutex) = 0;  // of the source's emitted(), charged for
  double window_cost_ns TS_GUARDED_BY(mutex) = 0;
  double cost_total_ns TS_GUARDED_BY(mutex) = 0;
  double expected_ns TS_GUARDED_BY(mutex) = -1;  // of a window; below 0: none seen
  int ends TS_GUARDED_BY(mutex) = 0;             // of requests, in the open window
  std::uint64_t sampled TS_GUARDED_BY(mutex) = 0;
  std::uint64_t sampled_ns TS_GUARDED_BY(mutex) = 0;
  std::uint64_t last_number TS_GUARDED_BY(mutex) = 0;
  std::set<std::uint64_t> in_flight_looked TS_GUARDED_BY(mutex);
  std::vector<HeldSpans::Looked> ended TS_GUARDED_BY(mutex);
  std::minstd_rand random TS_GUARDED_BY(mutex){20240229};

  base::Mutex drain_mutex;  // taken before mutex
  HeldSpans held TS_GUARDED_BY(drain_mutex);
  std::atomic<std::uint64_t> dropped{0};
};

void Sampler::State::end_looked_at(const Ticket& ticket, const trace::ExecutionMark& mark) {
  base::MutexLock lock(mutex);
  if (is_open(window)) charge();
  ++sampled;
  sampled_ns += mark.end_ns > mark.begin_ns ? mark.end_ns - mark.begin_ns : 0;
  in_flight_looked.erase(ticket.number);
  const bool whole = ticket.number != 0 && ticket.window == window;
  if (whole) {
    if (warmup_left > 0) --warmup_left;
    if (ended.size() < kMostRequestsHeld) {
      ended.push_back({mark, ticket.alone && started == ticket.started});
    }
  }
  if (!is_open(window) || always) return;
  if ((whole && ticket.chosen) || ++ends >= kMostEndsPerWindow) close();
}

Sampler::Sampler(SpanSource& source, SamplerOptions options)
    : state_(std::make_shared<State>(source, options)) {}

void Sampler::on_start(std::uint64_t /*session*/) noexcept {
  State& state = *state_;
  Ticket& ticket = t_ticket;
  if (ticket.owner == state.number) state.abandon(ticket);
  ticket = {.owner = state.number};
  ticket.alone = state.in_flight.fetch_add(1) == 0;
  ticket.started = state.started.fetch_add(1) + 1;
  ticket.window = state.window.load();
  if (!is_open(ticket.window) && !state.due()) return;

  base::MutexLock lock(state.mutex);
  if (!is_open(state.window) && state.due()) {
    state.open();
    ticket.chosen = true;
  }
  ticket.window = state.window;
  if (!is_open(ticket.window)) return;  // it was closed meanwhile
  ticket.number = ++state.last_number;
  state.in_flight_looked.insert(ticket.number);
}

void Sampler::on_end(const trace::ExecutionMark& mark) noexcept {
  State& state = *state_;
  const std::uint64_t duration_ns = mark.end_ns > mark.begin_ns ? mark.end_ns - mark.begin_ns : 0;
  state.requests.fetch_add(1, std::memory_order_relaxed);
  state.requests_ns.fetch_add(duration_ns, std::memory_order_relaxed);
  if (!state.stopped.load(std::memory_order_relaxed)) {
    state.credit_ps.fetch_add(
        static_cast<std::int64_t>(static_cast<double>(duration_ns) * state.budget * kPicoseconds),
        std::memory_order_relaxed);
  }

  Ticket ticket = t_ticket;
  // Its start was told on another thread, or never: nothing is known about it but that it ended.
  const bool known = ticket.owner == state.number;
  const std::uint64_t window = state.window.load();
  if (known) {
    t_ticket = {};
    state.in_flight.fetch_sub(1);
    if (!is_open(ticket.window) && window == ticket.window) return;
  } else {
    if (!is_open(window)) return;
    ticket = {};
  }
  state.end_looked_at(ticket, mark);
}

void Sampler::set_always(bool always) {
  State& state = *state_;
  base::MutexLock lock(state.mutex);
  if (state.always == always) return;
  // What was spent before counts by the old rule.
  if (is_open(state.window)) state.charge();
  state.always = always;
  if (!always) {
    state.window_cost_ns = std::max(0.0, state.expected_ns);  // of many requests: no guess for one
    state.close();
  } else if (!state.stopped) {
    state.open();
  }
}

void Sampler::set_depth(Depth depth) {
  State& state = *state_;
  base::MutexLock lock(state.mutex);
  if (state.depth == depth) return;
  state.close();
  state.depth = depth;
  state.stopped = !state.available.ok() || depth == Depth::kOff;
  if (state.always && !state.stopped) state.open();
}

absl::Status Sampler::available(Depth depth) const { return state_->source.available_at(depth); }

SpanCounterLog* Sampler::counters() const { return state_->source.counters(); }

Sampler::Report Sampler::report() const {
  const State& state = *state_;
  base::MutexLock lock(state.mutex);
  Report report;
  report.requests = state.requests;
  report.sampled = state.sampled;
  report.budget = state.budget;
  report.dropped_spans = state.dropped;
  if (state.sampled_ns > 0) {
    report.cost_when_sampled = state.cost_total_ns / static_cast<double>(state.sampled_ns);
  }
  if (state.requests_ns > 0) {
    report.overhead = state.cost_total_ns / static_cast<double>(state.requests_ns);
  }
  return report;
}

trace::Trace Sampler::drain() {
  State& state = *state_;
  base::MutexLock drain_lock(state.drain_mutex);
  HeldSpans::Known known;
  {
    // The ends come before the spans: what these requests emitted is all in the source by now.
    base::MutexLock lock(state.mutex);
    known.requests.swap(state.ended);
    // Numbers ascend, so whoever starts from here on is at least the next one.
    known.oldest_in_flight =
        state.in_flight_looked.empty() ? state.last_number + 1 : *state.in_flight_looked.begin();
  }
  state.source.drain(state.held.inbox());
  {
    // And the newest start after the spans: one that began meanwhile may have emitted some of them.
    base::MutexLock lock(state.mutex);
    known.last_started = state.last_number;
  }
  trace::Trace trace = state.held.take(std::move(known));
  state.dropped += trace.dropped;
  return trace;
}

}  // namespace tachostat::probe

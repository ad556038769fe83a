// Requests in, inferences out, under the current Plan. One Scheduler per model. Never waits for the
// evidence plane: it reads the newest plan and goes on with the last one when none comes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::schedule {

struct Timing {
  base::Time arrival;
  base::Time dispatched;  // left the queue
  base::Time done;        // outputs are there
  int batch = 0;          // requests that shared the inference
};

struct Response {
  std::vector<engine::Tensor> outputs;
  Timing timing;
  std::string variant;  // Variant::id() that answered
};
using ResponseCallback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

struct Request {
  std::vector<engine::Tensor> inputs;
  base::Time deadline = base::Time::max();
  ResponseCallback
      done;  // exactly once; on the caller's thread when refused at once, else an engine thread
};

// Totals since start and a window for the governor. Durations in nanoseconds.
// accepted = succeeded + failed + expired + queued + in_flight, at every moment.
struct Statistics {
  std::uint64_t accepted = 0, succeeded = 0, failed = 0;
  std::uint64_t refused_full = 0;              // queue limit
  std::uint64_t refused_deadline = 0;          // on arrival: could not have been answered in time
  std::uint64_t expired = 0;                   // accepted, but the deadline passed in the queue
  std::uint64_t hung = 0;                      // inferences given up; their requests have failed
  std::uint64_t executions = 0;                // inferences
  std::uint64_t queue_ns = 0, compute_ns = 0;  // summed over requests
  int queued = 0, in_flight = 0;               // requests now

  std::uint64_t arrivals() const { return accepted + refused_full + refused_deadline; }
  std::uint64_t refused() const { return refused_full + refused_deadline + expired; }
};

// One request that an engine answered, for whoever watches (latency windows, trials). Reported
// before the request's own callback runs, so a client that has its answer finds it counted. Runs on
// an engine thread: be quick.
struct Answered {
  Timing timing;
  std::string_view variant;
  std::uint64_t generation;  // of the plan it was dispatched under
  bool ok;
};

// Thread-safe.
class Scheduler {
 public:
  struct Options {
    model::Graph graph;  // for checking inputs; batch axis is the first of every input
    std::function<void(const Answered&)> on_answered = nullptr;  // may be null
    // Called with each request's inputs when it is dispatched, before the engine sees them: where
    // mirrored requests and shape statistics come from. Must return at once. May be null.
    std::function<void(const std::vector<engine::Tensor>&)> on_inputs = nullptr;
    // False: nothing fires by itself when time passes; the owner calls poll(). For virtual time.
    bool own_timer_thread = true;
  };
  static std::unique_ptr<Scheduler> Create(base::Clock& clock, Options options);

  // Answers what was accepted, refuses what comes after.
  virtual ~Scheduler() = default;

  // Sessions that plans may name. remove() returns once the session has no request in flight; it
  // fails when the current plan names it, and when an inference of it hangs.
  virtual absl::Status add_session(std::shared_ptr<engine::Session> session) = 0;
  virtual absl::Status remove_session(const std::string& variant) = 0;

  // InvalidArgument when a share names no session or no share has weight; the old plan then stays.
  virtual absl::Status publish(model::PlanPtr plan) = 0;
  virtual model::PlanPtr plan() const = 0;

  // Checks names, types and shapes against the graph and queues. Errors (through `done`):
  // InvalidArgument, ResourceExhausted (queue full), DeadlineExceeded (cannot be answered in time),
  // Unavailable (stopping).
  virtual void submit(Request request) = 0;

  // Refuse new requests and return when all accepted ones are answered, or at the deadline: then
  // the rest is answered with Unavailable and false is returned.
  virtual bool drain(base::Time deadline) = 0;

  virtual Statistics statistics() const = 0;

  // Does what is due by the clock (batches that have waited long enough, requests whose deadline
  // passed in the queue) and returns when the next thing is due, Time::max() when nothing is. The
  // timer thread calls it; so does whoever moves a virtual clock.
  virtual base::Time poll() { return base::Time::max(); }
};

// Checks one request's inputs against the model: every input present once, known names, types,
// shapes, and byte sizes. Messages say what was expected and what came.
absl::Status check_inputs(const model::Graph& graph, const std::vector<engine::Tensor>& inputs);

}  // namespace tachostat::schedule

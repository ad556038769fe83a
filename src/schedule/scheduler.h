// The Scheduler behind schedule.h.
//
// One mutex guards queue, plan and counters; it is never held while an engine, a callback or a copy
// runs. There is no dispatcher thread: whoever changes what may run (a submit, a completion, a new
// plan, the timer) picks the next batches itself, so an idle scheduler costs nothing and a request
// to a free engine needs no hand-over.
//
// Invariants, under the mutex:
// - busy_ is the number of inferences that an engine has, at most Plan::concurrency of the plan
// that
//   they were started under;
// - unanswered_ counts accepted requests whose callback has not returned;
// - a session's `in_flight` and unfinished_ count completions that have not returned, so that
//   nobody destroys what a completion still uses.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "schedule/batch_times.h"
#include "schedule/batcher.h"
#include "schedule/join.h"
#include "schedule/queue.h"
#include "schedule/router.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {

class QueueScheduler final : public Scheduler {
 public:
  QueueScheduler(base::Clock& clock, Options options);
  ~QueueScheduler() override;

  absl::Status add_session(std::shared_ptr<engine::Session> session) override;
  absl::Status remove_session(const std::string& variant) override;
  absl::Status publish(model::PlanPtr plan) override;
  model::PlanPtr plan() const override;
  void submit(Request request) override;
  bool drain(base::Time deadline) override;
  Statistics statistics() const override;
  base::Time poll() override;

 private:
  struct Loaded {
    std::shared_ptr<engine::Session> session;
    std::string id;
    int in_flight = 0;
    int hung = 0;                // of those in flight, given up
    base::Time avoided_until{};  // since one hung: the governor is about to leave it
    BatchTimes times;
  };
  // What publish() makes of a plan.
  struct Route {
    Route(model::PlanPtr published, std::vector<Loaded*> loaded);
    model::PlanPtr plan;
    std::vector<Loaded*> sessions;  // per share
    Router router;
    BatchLimits limits;
  };
  // One inference. Owned by its completion; listed in flying_ from pick() to finish().
  struct Batch {
    std::vector<std::unique_ptr<Pending>> members;
    Loaded* loaded = nullptr;
    std::uint64_t generation = 0;
    std::int64_t rows = 0;   // of all members; 0 where the members have no common rows
    bool abandoned = false;  // drain() took the callbacks (guarded by mutex_)
    bool hung = false;       // likewise, and it holds no slot any more
    base::Time hangs_from = base::Time::max();
  };
  struct Refusal {
    ResponseCallback done;
    absl::Status status;
  };
  // Of a batch that hung. It has its own copy of the name: nothing holds the session.
  struct GivenUp {
    std::string variant;
    std::uint64_t generation = 0;
    std::vector<Timing> timings;  // of the members
  };
  struct Work {
    std::unique_ptr<Batch> batch;
    std::vector<Refusal> refusals;
  };
  using Outputs = absl::StatusOr<std::vector<engine::Tensor>>;

  absl::Status admit(std::unique_ptr<Pending>& pending) TS_REQUIRES(mutex_);
  int share_of(const Pending& pending) const TS_REQUIRES(mutex_);  // -1: none takes it
  // Of a request that arrives now: until its answer; 0: nothing is known.
  base::Duration expected_latency(const Pending& pending) const TS_REQUIRES(mutex_);
  base::Duration until_a_slot_is_free(base::Time now) const TS_REQUIRES(mutex_);
  absl::Status check_due(const Pending& pending) TS_REQUIRES(mutex_);
  bool comes_too_late(const Pending& leader, base::Time now) const TS_REQUIRES(mutex_);
  Work pick(base::Time now) TS_REQUIRES(mutex_);
  std::unique_ptr<Batch> take(const Group& group, base::Time now) TS_REQUIRES(mutex_);
  Refusal expire(std::unique_ptr<Pending> pending, base::Time now) TS_REQUIRES(mutex_);
  void wake_by(base::Time time) TS_REQUIRES(mutex_);
  bool land(Batch& batch, const Outputs& outputs, base::Time now) TS_REQUIRES(mutex_);
  void count(const Batch& batch, bool ok, base::Time now) TS_REQUIRES(mutex_);

  void dispatch() TS_EXCLUDES(mutex_);
  void send(std::unique_ptr<Batch> batch) TS_EXCLUDES(mutex_);
  void finish(std::unique_ptr<Batch> batch, Outputs outputs) TS_EXCLUDES(mutex_);
  void answer(Batch& batch, Outputs outputs, base::Time now) TS_EXCLUDES(mutex_);
  void refuse(std::vector<Refusal> refusals) TS_EXCLUDES(mutex_);
  std::vector<Refusal> abandon() TS_EXCLUDES(mutex_);
  // Wakes up for those that may hang later.
  std::vector<GivenUp> give_up_hung(base::Time now, std::vector<Refusal>& refusals)
      TS_REQUIRES(mutex_);
  GivenUp write_off(Batch& batch, base::Time now, std::vector<Refusal>& refusals)
      TS_REQUIRES(mutex_);
  void report(const GivenUp& given_up) const TS_EXCLUDES(mutex_);
  void run_timer();

  base::Clock& clock_;
  const Options options_;
  const std::shared_ptr<BufferPool> buffers_ = std::make_shared<BufferPool>();

  mutable base::Mutex mutex_;
  base::CondVar settled_;  // unanswered_, unfinished_ or a session's in_flight went down
  base::CondVar timer_;    // wake_at_ became earlier, or closing_
  std::map<std::string, std::unique_ptr<Loaded>> sessions_ TS_GUARDED_BY(mutex_);
  std::unique_ptr<Route> route_ TS_GUARDED_BY(mutex_);
  RequestQueue queue_ TS_GUARDED_BY(mutex_);
  std::vector<Batch*> flying_ TS_GUARDED_BY(mutex_);
  Statistics statistics_ TS_GUARDED_BY(mutex_);
  int busy_ TS_GUARDED_BY(mutex_) = 0;
  int unanswered_ TS_GUARDED_BY(mutex_) = 0;
  int unfinished_ TS_GUARDED_BY(mutex_) = 0;
  bool can_batch_ TS_GUARDED_BY(mutex_);
  bool stopping_ TS_GUARDED_BY(mutex_) = false;
  bool closing_ TS_GUARDED_BY(mutex_) = false;
  base::Time wake_at_ TS_GUARDED_BY(mutex_) = base::Time::max();
  std::uint64_t scan_ TS_GUARDED_BY(mutex_) = 0;
  std::jthread timer_thread_;
};

}  // namespace tachostat::schedule

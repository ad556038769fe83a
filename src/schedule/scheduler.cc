#include "schedule/scheduler.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/thread.h"
#include "base/units.h"

namespace tachostat::schedule {
namespace {

std::uint64_t nanoseconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
}

// Waits in real time for what is `remaining` away on the injected clock, which may stand still: the
// caller looks at that clock again. False: that time passed. An hour at most, so that no sum
// overflows.
bool wait_for(base::CondVar& condition, base::Mutex& mutex, base::Duration remaining)
    TS_REQUIRES(mutex) {
  const base::Duration bounded = std::min<base::Duration>(remaining, std::chrono::hours(1));
  return condition.wait_until(mutex, std::chrono::steady_clock::now() + bounded) ||
         bounded < remaining;
}

absl::Status check_plan(const model::Plan& plan) {
  bool weighty = false;
  for (const model::Plan::Share& share : plan.shares) {
    if (!std::isfinite(share.weight) || share.weight < 0) {
      return base::invalid_argument("plan {}: share '{}' has weight {}: expected 0 or more",
                                    plan.generation, share.variant, share.weight);
    }
    weighty = weighty || share.weight > 0;
  }
  if (!weighty) {
    return base::invalid_argument("plan {}: none of its {} shares has weight", plan.generation,
                                  plan.shares.size());
  }
  if (plan.max_batch < 1 || plan.concurrency < 1 || plan.queue_limit < 0 ||
      plan.max_batch_delay < base::Duration(0) || plan.patience <= base::Duration(0)) {
    return base::invalid_argument(
        "plan {}: expected max_batch and concurrency of 1 or more, queue_limit and max_batch_delay "
        "of 0 or more, a patience over 0, found {}, {}, {}, {}, {}",
        plan.generation, plan.max_batch, plan.concurrency, plan.queue_limit,
        base::format_duration(plan.max_batch_delay), base::format_duration(plan.patience));
  }
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<Scheduler> Scheduler::Create(base::Clock& clock, Options options) {
  return std::make_unique<QueueScheduler>(clock, std::move(options));
}

QueueScheduler::Route::Route(model::PlanPtr published, std::vector<Loaded*> loaded)
    : plan(std::move(published)), sessions(std::move(loaded)), router(*plan) {
  limits.max_delay = plan->max_batch_delay;
  for (const Loaded* each : sessions) {
    limits.batch_of_share.push_back(std::min(plan->max_batch, each->session->variant().batch));
    limits.times_of_share.push_back(&each->times);
  }
}

QueueScheduler::QueueScheduler(base::Clock& clock, Options options)
    : clock_(clock), options_(std::move(options)), can_batch_(may_batch(options_.graph)) {
  if (options_.own_timer_thread) {
    timer_thread_ =
        base::start_thread("batch-timer", [this](const std::stop_token&) { run_timer(); });
  }
}

QueueScheduler::~QueueScheduler() {
  drain(base::Time::max());
  {
    base::MutexLock lock(mutex_);
    while (unfinished_ > 0) settled_.wait(mutex_);
    closing_ = true;
    timer_.notify_all();
  }
  if (timer_thread_.joinable()) timer_thread_.join();
}

absl::Status QueueScheduler::add_session(std::shared_ptr<engine::Session> session) {
  if (session == nullptr)
    return base::invalid_argument("add_session: expected a session, found none");
  auto loaded = std::make_unique<Loaded>();
  loaded->id = session->variant().id();
  loaded->session = std::move(session);
  base::MutexLock lock(mutex_);
  const std::string& id = loaded->id;
  if (sessions_.contains(id)) {
    return absl::AlreadyExistsError(fmt::format("variant '{}' is loaded already", id));
  }
  sessions_.emplace(id, std::move(loaded));
  return absl::OkStatus();
}

absl::Status QueueScheduler::remove_session(const std::string& variant) {
  std::unique_ptr<Loaded> removed;  // destroyed after the lock is gone
  base::MutexLock lock(mutex_);
  const auto found = sessions_.find(variant);
  if (found == sessions_.end()) return base::not_found("variant '{}' is not loaded", variant);
  if (route_ != nullptr) {
    const auto& used = route_->sessions;
    if (std::find(used.begin(), used.end(), found->second.get()) != used.end()) {
      return base::failed_precondition(
          "variant '{}' serves under plan {}: publish a plan without it first", variant,
          route_->plan->generation);
    }
  }
  if (found->second->hung > 0) {
    return base::unavailable("variant '{}' stays: {} of its inferences do not end", variant,
                             found->second->hung);
  }
  removed = std::move(found->second);
  sessions_.erase(found);  // no plan can name it any more
  while (removed->in_flight > 0) settled_.wait(mutex_);
  return absl::OkStatus();
}

absl::Status QueueScheduler::publish(model::PlanPtr plan) {
  if (plan == nullptr) return base::invalid_argument("publish: expected a plan, found none");
  TS_RETURN_IF_ERROR(check_plan(*plan));
  std::unique_ptr<Route> old;  // destroyed after the lock is gone
  {
    base::MutexLock lock(mutex_);
    std::vector<Loaded*> sessions;
    for (const model::Plan::Share& share : plan->shares) {
      const auto found = sessions_.find(share.variant);
      if (found == sessions_.end()) {
        return base::invalid_argument("plan {}: variant '{}' is not loaded", plan->generation,
                                      share.variant);
      }
      sessions.push_back(found->second.get());
    }
    old = std::exchange(route_, std::make_unique<Route>(std::move(plan), std::move(sessions)));
  }
  dispatch();
  return absl::OkStatus();
}

model::PlanPtr QueueScheduler::plan() const {
  base::MutexLock lock(mutex_);
  return route_ == nullptr ? nullptr : route_->plan;
}

Statistics QueueScheduler::statistics() const {
  base::MutexLock lock(mutex_);
  Statistics now = statistics_;
  now.queued = static_cast<int>(queue_.size());
  return now;
}

void QueueScheduler::submit(Request request) {
  if (absl::Status status = check_inputs(options_.graph, request.inputs); !status.ok()) {
    return request.done(std::move(status));
  }
  auto pending = std::make_unique<Pending>();
  pending->rows = rows_of(request.inputs);
  pending->join_key = join_key(request.inputs);
  pending->request = std::move(request);
  pending->arrival = clock_.now();
  absl::Status status;
  {
    base::MutexLock lock(mutex_);
    status = admit(pending);
  }
  if (!status.ok()) return pending->request.done(std::move(status));
  dispatch();
}

// Picks and sends until nothing more may start now.
void QueueScheduler::dispatch() {
  // Where an engine completes inside infer(), or a callback submits, the loop further up this stack
  // goes on instead of a recursion as deep as the queue.
  thread_local const QueueScheduler* dispatching = nullptr;
  if (dispatching == this) return;
  const QueueScheduler* const outer = std::exchange(dispatching, this);
  for (;;) {
    Work work;
    {
      base::MutexLock lock(mutex_);
      work = pick(clock_.now());
    }
    if (work.batch == nullptr && work.refusals.empty()) break;
    refuse(std::move(work.refusals));
    if (work.batch != nullptr) send(std::move(work.batch));
  }
  dispatching = outer;
}

QueueScheduler::Work QueueScheduler::pick(base::Time now) {
  Work work;
  if (route_ == nullptr || queue_.empty()) return work;
  ++scan_;
  for (std::size_t leader = 0; leader < queue_.size() && busy_ < route_->plan->concurrency;) {
    Pending& first = queue_[leader];
    if (comes_too_late(first, now)) {
      work.refusals.push_back(expire(queue_.take(leader), now));
      continue;
    }
    if (first.considered == scan_) {  // waits in the group of an earlier leader
      ++leader;
      continue;
    }
    if (!can_batch_) first.join_key = 0;
    const Group group = gather(queue_, leader, route_->router, route_->limits, now);
    if (group.share < 0) {
      ++statistics_.failed;
      work.refusals.push_back(
          {std::move(queue_.take(leader)->request.done),
           base::unavailable("no variant of plan {} takes the shapes of this request",
                             route_->plan->generation)});
      continue;
    }
    const base::Time avoided_until =
        route_->sessions[static_cast<std::size_t>(group.share)]->avoided_until;
    if (avoided_until > now) {
      wake_by(avoided_until);
      ++leader;
      continue;
    }
    // While stopping, no company will come.
    if (group.due <= now || stopping_) {
      work.batch = take(group, now);
      break;
    }
    for (const std::size_t member : group.members) queue_[member].considered = scan_;
    wake_by(group.due);
    ++leader;
  }
  if (!queue_.empty()) wake_by(queue_.earliest_deadline());
  return work;
}

std::unique_ptr<QueueScheduler::Batch> QueueScheduler::take(const Group& group, base::Time now) {
  auto batch = std::make_unique<Batch>();
  batch->loaded = route_->sessions[static_cast<std::size_t>(group.share)];
  batch->generation = route_->plan->generation;
  batch->members.resize(group.members.size());
  for (std::size_t i = group.members.size(); i-- > 0;) {  // from the back: places stay valid
    batch->members[i] = queue_.take(group.members[i]);
    batch->members[i]->dispatched = now;
    batch->rows += batch->members[i]->rows;
  }
  route_->router.commit(group.request_class, group.share);
  if (route_->plan->hang_after < base::Time::max() - now) {
    batch->hangs_from = now + route_->plan->hang_after;
    wake_by(batch->hangs_from);
  }
  flying_.push_back(batch.get());
  ++busy_;
  ++unfinished_;
  ++batch->loaded->in_flight;
  ++statistics_.executions;
  statistics_.in_flight += static_cast<int>(batch->members.size());
  return batch;
}

QueueScheduler::Refusal QueueScheduler::expire(std::unique_ptr<Pending> pending, base::Time now) {
  ++statistics_.expired;
  return {std::move(pending->request.done),
          absl::DeadlineExceededError(
              fmt::format("after {} in the queue of model '{}' the deadline {}",
                          base::format_duration(now - pending->arrival), options_.graph.name,
                          pending->request.deadline <= now ? "had passed" : "can not be met"))};
}

void QueueScheduler::send(std::unique_ptr<Batch> batch) {
  for (const auto& member : batch->members) {
    if (options_.on_inputs && !member->seen) options_.on_inputs(member->request.inputs);
    member->seen = true;
  }
  std::vector<engine::Tensor> inputs;
  if (batch->members.size() == 1) {
    inputs = std::move(batch->members.front()->request.inputs);
  } else {
    // The members keep their inputs: they go singly if the outputs turn out not to be rows.
    std::vector<const std::vector<engine::Tensor>*> parts;
    for (const auto& member : batch->members) parts.push_back(&member->request.inputs);
    inputs = join(parts, *buffers_);
  }
  engine::Session& session = *batch->loaded->session;
  session.infer(std::move(inputs), [this, flying = std::move(batch)](Outputs outputs) mutable {
    finish(std::move(flying), std::move(outputs));
  });
}

// On an engine thread. The next batch goes out before this one is answered, to keep the engine
// busy.
void QueueScheduler::finish(std::unique_ptr<Batch> batch, Outputs outputs) {
  const base::Time now = clock_.now();
  const int members = static_cast<int>(batch->members.size());
  bool ours = false;
  {
    base::MutexLock lock(mutex_);
    ours = land(*batch, outputs, now);
  }
  dispatch();
  if (ours) answer(*batch, std::move(outputs), now);
  batch->members.clear();  // what callbacks hold goes before drain() says that all is done
  base::MutexLock lock(mutex_);
  if (ours) unanswered_ -= members;
  --batch->loaded->in_flight;
  --unfinished_;
  settled_.notify_all();  // under the lock: the destructor may be waiting for this
}

// Takes a batch out of the air; true when its members are to be answered with these outputs.
bool QueueScheduler::land(Batch& batch, const Outputs& outputs, base::Time now) {
  std::erase(flying_, &batch);
  if (batch.hung) {
    --batch.loaded->hung;
    return false;
  }
  --busy_;
  if (batch.abandoned) return false;
  statistics_.in_flight -= static_cast<int>(batch.members.size());
  if (outputs.ok()) {
    const auto service = static_cast<double>((now - batch.members.front()->dispatched).count());
    batch.loaded->times.add(static_cast<int>(batch.members.size()), service);
    // A single answer tells as well whether answers of this model can be split.
    if (batch.rows > 0 && !has_rows(*outputs, batch.rows)) can_batch_ = false;
    if (!can_batch_ && batch.members.size() > 1 && !has_rows(*outputs, batch.rows)) {
      for (auto& member : batch.members) queue_.push(std::move(member));
      return false;
    }
  }
  count(batch, outputs.ok(), now);
  return true;
}

void QueueScheduler::count(const Batch& batch, bool ok, base::Time now) {
  (ok ? statistics_.succeeded : statistics_.failed) += batch.members.size();
  for (const auto& member : batch.members) {
    statistics_.queue_ns += nanoseconds(member->dispatched - member->arrival);
    statistics_.compute_ns += nanoseconds(now - member->dispatched);
  }
}

void QueueScheduler::answer(Batch& batch, Outputs outputs, base::Time now) {
  absl::Status status;
  std::vector<engine::Tensor> all;
  if (outputs.ok()) {
    all = *std::move(outputs);
  } else {
    status = base::with_context(outputs.status(), "variant '" + batch.loaded->id + "'");
  }
  const int members = static_cast<int>(batch.members.size());
  std::int64_t row = 0;
  for (const auto& member : batch.members) {
    const Timing timing{member->arrival, member->dispatched, now, members};
    if (options_.on_answered) {
      options_.on_answered({timing, batch.loaded->id, batch.generation, status.ok()});
    }
    ResponseCallback& done = member->request.done;
    if (status.ok()) {
      done(Response{members == 1 ? std::exchange(all, {}) : split(all, row, member->rows), timing,
                    batch.loaded->id});
    } else {
      done(status);
    }
    row += member->rows;
  }
}

void QueueScheduler::refuse(std::vector<Refusal> refusals) {
  if (refusals.empty()) return;
  for (Refusal& refusal : refusals) refusal.done(std::move(refusal.status));
  base::MutexLock lock(mutex_);
  unanswered_ -= static_cast<int>(refusals.size());
  settled_.notify_all();
}

bool QueueScheduler::drain(base::Time deadline) {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  dispatch();
  {
    base::MutexLock lock(mutex_);
    bool in_time = true;
    while (unanswered_ > 0 && in_time) {
      const base::Time now = clock_.now();
      if (deadline == base::Time::max()) {
        settled_.wait(mutex_);
      } else {
        in_time = now < deadline && wait_for(settled_, mutex_, deadline - now);
      }
    }
    if (unanswered_ == 0) return true;
  }
  refuse(abandon());
  return false;
}

// Takes all requests away from queue and engine. Completions that come later find nothing to do.
std::vector<QueueScheduler::Refusal> QueueScheduler::abandon() {
  const absl::Status status =
      base::unavailable("model '{}' stopped before this request was answered", options_.graph.name);
  std::vector<Refusal> refusals;
  base::MutexLock lock(mutex_);
  for (auto& pending : queue_.take_all()) {
    refusals.push_back({std::move(pending->request.done), status});
  }
  for (Batch* batch : flying_) {
    if (batch->abandoned || batch->hung) continue;
    batch->abandoned = true;
    statistics_.in_flight -= static_cast<int>(batch->members.size());
    for (auto& member : batch->members) {
      refusals.push_back({std::move(member->request.done), status});
    }
  }
  statistics_.failed += refusals.size();
  return refusals;
}

base::Time QueueScheduler::poll() {
  std::vector<Refusal> refusals;
  std::vector<GivenUp> given_up;
  {
    base::MutexLock lock(mutex_);
    wake_at_ = base::Time::max();
    const base::Time now = clock_.now();
    for (auto& pending : queue_.take_expired(now)) {
      refusals.push_back(expire(std::move(pending), now));
    }
    given_up = give_up_hung(now, refusals);
  }
  for (const GivenUp& each : given_up) report(each);
  refuse(std::move(refusals));
  dispatch();
  base::MutexLock lock(mutex_);
  return wake_at_;
}

void QueueScheduler::wake_by(base::Time time) {
  if (time >= wake_at_) return;
  wake_at_ = time;
  timer_.notify_one();
}

void QueueScheduler::run_timer() {
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      if (closing_) return;
      const base::Time now = clock_.now();
      if (wake_at_ == base::Time::max()) {
        timer_.wait(mutex_);
        continue;
      }
      if (wake_at_ > now) {
        wait_for(timer_, mutex_, wake_at_ - now);
        continue;
      }
    }
    poll();
  }
}

}  // namespace tachostat::schedule

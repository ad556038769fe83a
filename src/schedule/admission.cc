// Which requests the scheduler takes, and when it gives one up: by what their inference is expected
// to take.
#include <algorithm>

#include "base/status.h"
#include "base/units.h"
#include "schedule/scheduler.h"

namespace tachostat::schedule {
namespace {

base::Duration duration_of(double nanoseconds) {
  return base::Duration(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace

absl::Status QueueScheduler::admit(std::unique_ptr<Pending>& pending) {
  if (stopping_) return base::unavailable("model '{}' is stopping", options_.graph.name);
  if (route_ == nullptr) {
    return base::unavailable("model '{}' is not ready: no variant serves yet", options_.graph.name);
  }
  if (route_->router.class_of(pending->request.inputs) < 0) {
    return base::unavailable("no variant of plan {} takes the shapes of this request",
                             route_->plan->generation);
  }
  const auto limit = static_cast<std::size_t>(route_->plan->queue_limit);
  const bool slot_free = busy_ < route_->plan->concurrency && queue_.empty();
  if (queue_.size() >= limit && !slot_free) {
    ++statistics_.refused_full;
    return absl::ResourceExhaustedError(
        fmt::format("the queue of model '{}' is full: {} requests wait, the limit is {}",
                    options_.graph.name, queue_.size(), limit));
  }
  pending->patience = route_->plan->patience;
  TS_RETURN_IF_ERROR(check_due(*pending));
  ++statistics_.accepted;
  ++unanswered_;
  queue_.push(std::move(pending));
  return absl::OkStatus();
}

int QueueScheduler::share_of(const Pending& pending) const {
  const int request_class = route_->router.class_of(pending.request.inputs);
  return request_class < 0 ? -1 : route_->router.choose(request_class);
}

// Zero when one is free.
base::Duration QueueScheduler::until_a_slot_is_free(base::Time now) const {
  if (busy_ < route_->plan->concurrency) return base::Duration(0);
  base::Duration least = base::Duration::max();
  for (const Batch* batch : flying_) {
    if (batch->abandoned || batch->hung) continue;
    const base::Duration takes =
        duration_of(batch->loaded->times.expect(static_cast<int>(batch->members.size())));
    least = std::min(least, takes - (now - batch->members.front()->dispatched));
  }
  return least == base::Duration::max() ? base::Duration(0) : std::max(least, base::Duration(0));
}

// Those before it go in full batches, round after round over all slots.
base::Duration QueueScheduler::expected_latency(const Pending& pending) const {
  const auto share = static_cast<std::size_t>(share_of(pending));
  const BatchTimes& times = route_->sessions[share]->times;
  const bool joins = can_batch_ && pending.join_key != 0;
  const auto batch = static_cast<std::size_t>(joins ? route_->limits.batch_of_share[share] : 1);
  const std::size_t slots = batch * static_cast<std::size_t>(route_->plan->concurrency);
  const std::size_t place = queue_.position_of(pending.urgency());
  const std::size_t rounds = place / slots;
  const std::size_t company = rounds > 0 ? batch : std::min(batch, place + 1);
  const double takes =
      rounds * times.expect(static_cast<int>(batch)) + times.expect(static_cast<int>(company));
  return takes > 0 ? until_a_slot_is_free(pending.arrival) + duration_of(takes) : base::Duration(0);
}

// What cannot be answered in time is refused at once, so that it does not make others late.
absl::Status QueueScheduler::check_due(const Pending& pending) {
  const base::Time due = pending.due();
  if (due == base::Time::max()) return absl::OkStatus();
  const bool own_deadline = due == pending.request.deadline;
  // To an idle engine everything goes: what is expected may be stale, and only inferences renew it.
  // To a free slot, what has no deadline of its own goes too.
  const bool idle = busy_ == 0 && queue_.empty();
  const bool slot_free = busy_ < route_->plan->concurrency && queue_.empty();
  const bool goes = own_deadline ? idle : slot_free;
  const base::Duration expected = goes ? base::Duration(0) : expected_latency(pending);
  if (due > pending.arrival && expected <= due - pending.arrival) return absl::OkStatus();
  if (own_deadline) {
    ++statistics_.refused_deadline;
    return absl::DeadlineExceededError(fmt::format(
        "the deadline is {} away, which cannot be met: {} requests wait, an answer would take {}",
        base::format_duration(due - pending.arrival), queue_.size(),
        base::format_duration(expected)));
  }
  ++statistics_.refused_full;
  return absl::ResourceExhaustedError(fmt::format(
      "model '{}' is loaded to its limit: an answer would take {}, the target is {}; try again in "
      "{}",
      options_.graph.name, base::format_duration(expected), base::format_duration(pending.patience),
      base::format_duration(expected - pending.patience)));
}

// Whether it would be answered after its own deadline even if it went alone now, while others wait
// that may still be in time. The last in the queue is tried.
bool QueueScheduler::comes_too_late(const Pending& leader, base::Time now) const {
  if (leader.request.deadline <= now) return true;
  if (leader.request.deadline == base::Time::max() || queue_.size() < 2) return false;
  const int share = share_of(leader);
  if (share < 0) return false;
  const BatchTimes& times = route_->sessions[static_cast<std::size_t>(share)]->times;
  return now + duration_of(times.expect(1)) > leader.request.deadline;
}

}  // namespace tachostat::schedule

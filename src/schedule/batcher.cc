#include "schedule/batcher.h"

#include <algorithm>

#include "schedule/join.h"

namespace tachostat::schedule {

Group gather(const RequestQueue& queue, std::size_t leader, const Router& router,
             const BatchLimits& limits, base::Time now) {
  Group group;
  const Pending& first = queue[leader];
  group.request_class = router.class_of(first.request.inputs);
  if (group.request_class < 0) return group;
  group.share = router.choose(group.request_class);
  group.members.push_back(leader);
  group.due = now;
  const auto limit =
      static_cast<std::size_t>(limits.batch_of_share[static_cast<std::size_t>(group.share)]);
  if (limit <= 1 || first.join_key == 0) return group;

  base::Time oldest = first.arrival;
  base::Time earliest_deadline = first.request.deadline;
  for (std::size_t i = leader + 1; i < queue.size() && group.members.size() < limit; ++i) {
    const Pending& other = queue[i];
    if (other.join_key != first.join_key || other.request.deadline <= now ||
        !can_join(first.request.inputs, other.request.inputs) ||
        router.class_of(other.request.inputs) != group.request_class) {
      continue;
    }
    group.members.push_back(i);
    oldest = std::min(oldest, other.arrival);
    earliest_deadline = std::min(earliest_deadline, other.request.deadline);
  }
  // Company is not worth a missed deadline.
  if (group.members.size() < limit) {
    group.due = std::min(oldest + limits.max_delay, earliest_deadline - limits.service);
  }
  return group;
}

}  // namespace tachostat::schedule

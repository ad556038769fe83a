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

  const BatchTimes& times = *limits.times_of_share[static_cast<std::size_t>(group.share)];
  const auto takes = [&times](std::size_t members) {
    return base::Duration(static_cast<std::int64_t>(times.expect(static_cast<int>(members))));
  };
  base::Time oldest = first.arrival;
  base::Time earliest_deadline = first.due();
  bool full = false;
  for (std::size_t i = leader + 1; i < queue.size() && group.members.size() < limit; ++i) {
    const Pending& other = queue[i];
    if (other.join_key != first.join_key || other.request.deadline <= now ||
        !can_join(first.request.inputs, other.request.inputs) ||
        router.class_of(other.request.inputs) != group.request_class) {
      continue;
    }
    // Company is not worth a missed deadline, unless that is missed alone too.
    const base::Time earliest = std::min(earliest_deadline, other.due());
    const std::size_t members = group.members.size();
    if (now + takes(members + 1) > earliest && now + takes(members) <= earliest) {
      full = true;
      break;
    }
    group.members.push_back(i);
    oldest = std::min(oldest, other.arrival);
    earliest_deadline = earliest;
  }
  if (!full && group.members.size() < limit) {
    group.due =
        std::min(oldest + limits.max_delay, earliest_deadline - takes(group.members.size() + 1));
  }
  return group;
}

}  // namespace tachostat::schedule

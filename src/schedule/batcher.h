// Which waiting requests go together, and when.
#pragma once

#include <vector>

#include "base/clock.h"
#include "model/model.h"
#include "schedule/batch_times.h"
#include "schedule/queue.h"
#include "schedule/router.h"

namespace tachostat::schedule {

struct BatchLimits {
  std::vector<int> batch_of_share;                // min(Plan::max_batch, Variant::batch), per share
  std::vector<const BatchTimes*> times_of_share;  // of its inferences
  base::Duration max_delay{0};
};

struct Group {
  int request_class = -1;            // of the router; -1: no share takes the leader
  int share = -1;                    // index into Plan::shares
  std::vector<std::size_t> members;  // places in the queue, ascending, the leader first
  base::Time due;                    // when it goes even if more requests would fit
};

// The group that the request at `leader` would lead now. It takes no more members than let the most
// urgent one be in time, and waits for more no longer than that.
Group gather(const RequestQueue& queue, std::size_t leader, const Router& router,
             const BatchLimits& limits, base::Time now);

}  // namespace tachostat::schedule

// Which waiting requests go together, and when.
#pragma once

#include <vector>

#include "base/clock.h"
#include "model/model.h"
#include "schedule/queue.h"
#include "schedule/router.h"

namespace tachostat::schedule {

struct BatchLimits {
  std::vector<int> batch_of_share;  // min(Plan::max_batch, Variant::batch), per share
  base::Duration max_delay{0};
  base::Duration service{0};  // of one inference, as expected; 0: unknown
};

struct Group {
  int request_class = -1;            // of the router; -1: no share takes the leader
  int share = -1;                    // index into Plan::shares
  std::vector<std::size_t> members;  // places in the queue, ascending, the leader first
  base::Time due;                    // when it goes even if more requests would fit
};

// The group that the request at `leader` would lead now.
Group gather(const RequestQueue& queue, std::size_t leader, const Router& router,
             const BatchLimits& limits, base::Time now);

}  // namespace tachostat::schedule

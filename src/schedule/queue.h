// Accepted requests that wait for a slot.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "schedule/schedule.h"

namespace tachostat::schedule {

// A request without a deadline, or with a distant one, is served as if it were due this long after
// its arrival: urgent requests overtake it, but only for so long.
inline constexpr base::Duration kPatience = std::chrono::seconds(1);

struct Pending {
  Request request;
  base::Time arrival{};
  base::Time dispatched{};
  std::int64_t rows = 1;         // axis 0 of its inputs
  std::uint64_t join_key = 0;    // requests of different keys cannot be joined; 0: none can
  bool seen = false;             // by Options::on_inputs
  std::uint64_t considered = 0;  // the scan that last put it into a group

  base::Duration patience = base::Duration::max();  // of the plan it was accepted under

  base::Time urgency() const { return std::min(request.deadline, arrival + kPatience); }
  // When it should be answered: its own deadline, or the plan's patience.
  base::Time due() const {
    if (patience >= base::Time::max() - arrival) return request.deadline;
    return std::min(request.deadline, arrival + patience);
  }
};

// Most urgent first, by arrival among equals. Thread-compatible.
class RequestQueue {
 public:
  std::size_t size() const { return pending_.size(); }
  bool empty() const { return pending_.empty(); }
  Pending& operator[](std::size_t index) { return *pending_[index]; }
  const Pending& operator[](std::size_t index) const { return *pending_[index]; }

  // Where a request of this urgency would stand.
  std::size_t position_of(base::Time urgency) const;
  void push(std::unique_ptr<Pending> pending);
  std::unique_ptr<Pending> take(std::size_t index);
  std::vector<std::unique_ptr<Pending>> take_expired(base::Time now);
  std::vector<std::unique_ptr<Pending>> take_all();

  // No deadline in the queue is earlier. Exact after take_expired(); may be too early later on.
  base::Time earliest_deadline() const { return earliest_deadline_; }

 private:
  std::deque<std::unique_ptr<Pending>> pending_;
  base::Time earliest_deadline_ = base::Time::max();
};

}  // namespace tachostat::schedule

#include "schedule/queue.h"

#include <algorithm>

namespace tachostat::schedule {

std::size_t RequestQueue::position_of(base::Time urgency) const {
  // Nearly always at the end: requests mostly come with the same patience.
  if (pending_.empty() || pending_.back()->urgency() <= urgency) return pending_.size();
  const auto place = std::upper_bound(pending_.begin(), pending_.end(), urgency,
                                      [](base::Time value, const std::unique_ptr<Pending>& each) {
                                        return value < each->urgency();
                                      });
  return static_cast<std::size_t>(place - pending_.begin());
}

void RequestQueue::push(std::unique_ptr<Pending> pending) {
  earliest_deadline_ = std::min(earliest_deadline_, pending->request.deadline);
  const auto place =
      pending_.begin() + static_cast<std::ptrdiff_t>(position_of(pending->urgency()));
  pending_.insert(place, std::move(pending));
}

std::unique_ptr<Pending> RequestQueue::take(std::size_t index) {
  const auto place = pending_.begin() + static_cast<std::ptrdiff_t>(index);
  std::unique_ptr<Pending> taken = std::move(*place);
  pending_.erase(place);
  if (pending_.empty()) earliest_deadline_ = base::Time::max();
  return taken;
}

std::vector<std::unique_ptr<Pending>> RequestQueue::take_expired(base::Time now) {
  std::vector<std::unique_ptr<Pending>> expired;
  earliest_deadline_ = base::Time::max();
  for (std::unique_ptr<Pending>& each : pending_) {
    if (each->request.deadline <= now) {
      expired.push_back(std::move(each));
    } else {
      earliest_deadline_ = std::min(earliest_deadline_, each->request.deadline);
    }
  }
  std::erase(pending_, nullptr);
  return expired;
}

std::vector<std::unique_ptr<Pending>> RequestQueue::take_all() {
  std::vector<std::unique_ptr<Pending>> all(std::make_move_iterator(pending_.begin()),
                                            std::make_move_iterator(pending_.end()));
  pending_.clear();
  earliest_deadline_ = base::Time::max();
  return all;
}

}  // namespace tachostat::schedule

// Inferences that do not end: their requests are answered, their slots used again. When the engine
// comes back after all, finish() finds nothing left to answer.
#include <algorithm>

#include "base/status.h"
#include "base/units.h"
#include "schedule/scheduler.h"

namespace tachostat::schedule {
namespace {

constexpr base::Duration kGrace = std::chrono::seconds(1);  // for a plan without what hangs

}  // namespace

void QueueScheduler::give_up_hung(base::Time now) {
  std::vector<Refusal> refusals;
  std::vector<Answered> answered;
  {
    base::MutexLock lock(mutex_);
    for (Batch* batch : flying_) {
      if (batch->abandoned || batch->hung || batch->hangs_from > now) continue;
      const std::vector<Answered> more = write_off(*batch, now, refusals);
      answered.insert(answered.end(), more.begin(), more.end());
    }
  }
  for (const Answered& each : answered) {
    if (options_.on_answered) options_.on_answered(each);
  }
  refuse(std::move(refusals));
}

std::vector<Answered> QueueScheduler::write_off(Batch& batch, base::Time now,
                                                std::vector<Refusal>& refusals) {
  batch.hung = true;
  ++batch.loaded->hung;
  batch.loaded->avoided_until = now + kGrace;
  --busy_;
  ++statistics_.hung;
  const int members = static_cast<int>(batch.members.size());
  statistics_.in_flight -= members;
  count(batch, false, now);
  const base::Duration age = now - batch.members.front()->dispatched;
  std::vector<Answered> answered;
  for (const auto& member : batch.members) {
    answered.push_back({.timing = {member->arrival, member->dispatched, now, members},
                        .variant = batch.loaded->id,
                        .generation = batch.generation,
                        .ok = false});
    refusals.push_back({std::move(member->request.done),
                        base::unavailable("variant '{}' has not answered for {}: its engine hangs",
                                          batch.loaded->id, base::format_duration(age))});
  }
  return answered;
}

}  // namespace tachostat::schedule

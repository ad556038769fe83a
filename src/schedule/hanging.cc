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

std::vector<QueueScheduler::GivenUp> QueueScheduler::give_up_hung(base::Time now,
                                                                  std::vector<Refusal>& refusals) {
  std::vector<GivenUp> given_up;
  for (Batch* batch : flying_) {
    if (batch->abandoned || batch->hung) continue;
    if (batch->hangs_from > now) {
      wake_by(batch->hangs_from);
    } else {
      given_up.push_back(write_off(*batch, now, refusals));
    }
  }
  return given_up;
}

QueueScheduler::GivenUp QueueScheduler::write_off(Batch& batch, base::Time now,
                                                  std::vector<Refusal>& refusals) {
  batch.hung = true;
  ++batch.loaded->hung;
  batch.loaded->avoided_until = now + kGrace;
  --busy_;
  ++statistics_.hung;
  const int members = static_cast<int>(batch.members.size());
  statistics_.in_flight -= members;
  count(batch, false, now);
  GivenUp given_up{.variant = batch.loaded->id, .generation = batch.generation, .timings = {}};
  const base::Duration age = now - batch.members.front()->dispatched;
  for (const auto& member : batch.members) {
    given_up.timings.push_back({member->arrival, member->dispatched, now, members});
    refusals.push_back({std::move(member->request.done),
                        base::unavailable("variant '{}' has not answered for {}: its engine hangs",
                                          batch.loaded->id, base::format_duration(age))});
  }
  return given_up;
}

void QueueScheduler::report(const GivenUp& given_up) const {
  if (!options_.on_answered) return;
  for (const Timing& timing : given_up.timings) {
    options_.on_answered({timing, given_up.variant, given_up.generation, false});
  }
}

}  // namespace tachostat::schedule

#include "govern/recovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "govern/windows.h"

namespace tachostat::govern {
namespace {

constexpr base::Duration kLook = std::chrono::seconds(1);
constexpr std::uint64_t kLeastFailures = 5;  // in a look
constexpr double kFailingShare = 0.2;        // of requests that ended
constexpr base::Duration kBar = std::chrono::seconds(30);
constexpr int kMostDoublings = 6;  // half an hour

}  // namespace

bool Recovery::step(const Observation& piece) {
  if (piece.hung > 0) {
    const bool left = leave(fmt::format("{} of its inferences did not end in {}", piece.hung,
                                        base::format_duration(core_.hang_after())),
                            base::Duration::max());
    seen_ = Observation();
    return left;
  }
  merge(seen_, piece);
  if (seen_.end - seen_.begin < kLook) return false;
  const Observation seen = std::exchange(seen_, Observation());
  // Its first part was answered by what served before.
  if (seen.begin < core_.serving_since()) return false;
  const auto ended = static_cast<double>(seen.answered + seen.failed);
  if (seen.failed < kLeastFailures || static_cast<double>(seen.failed) < kFailingShare * ended) {
    if (seen.answered > 0) told_ = false;
    return false;
  }
  const base::Duration bar = kBar * (1 << std::min(episodes_, kMostDoublings));
  return leave(fmt::format("{} of {} requests failed within {:.1f} s", seen.failed,
                           seen.failed + seen.answered, seen.seconds()),
               bar);
}

// The start variant if it is not the culprit, else the one with the shortest service.
const verify::Point* Recovery::stand_in() const {
  const verify::Point* best = nullptr;
  for (const auto& [id, point] : core_.points()) {
    if (id == core_.serving() || core_.barred(id)) continue;
    if (id == core_.start_variant()) return &point;
    if (point.drop_bound > core_.targets.max_drop) continue;
    if (best == nullptr || point.service_ms < best->service_ms) best = &point;
  }
  return best;
}

bool Recovery::leave(const std::string& why, base::Duration bar) {
  const verify::Point* other = stand_in();
  if (other == nullptr) {
    if (!std::exchange(told_, true)) {
      core_.decide("degraded", core_.serving(), core_.serving(),
                   fmt::format("{}: {}, and no other verified variant is left to serve",
                               core_.serving(), why),
                   {{"seconds_barred", nullptr}});
    }
    return false;
  }
  ++episodes_;
  const std::string culprit = core_.serving();
  core_.bar(culprit, bar);
  Choice choice = core_.choice_of(other->variant, other->service_ms);
  choice.reason = fmt::format(
      "{}: {}; {} serves, and {} is not tried again {}", culprit, why, choice.variant, culprit,
      bar == base::Duration::max() ? std::string("while this server runs")
                                   : fmt::format("for {}", base::format_duration(bar)));
  const absl::Status status = core_.switch_to(choice, {{"reason", why}}, "fallback");
  if (!status.ok()) {
    spdlog::warn("no fallback to '{}': {}", choice.variant, status.ToString());
    core_.bar(choice.variant, kBar);
  }
  return status.ok();
}

}  // namespace tachostat::govern

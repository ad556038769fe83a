#include "simulate/plant.h"

#include <algorithm>

#include "base/log.h"
#include "base/status.h"

namespace tachostat::simulate {
namespace {

constexpr std::uint64_t kProfileAfter = 30;  // inferences
constexpr std::uint64_t kCopies = 16;        // recent requests that can be mirrored
constexpr int kLabels = 40;                  // of one request

}  // namespace

SimulatedPlant::SimulatedPlant(const base::Clock& clock, const SimulatedModel& model,
                               Machine& machine, Random& random, TroubleNow trouble)
    : clock_(clock),
      model_(model),
      machine_(machine),
      random_(random),
      trouble_(std::move(trouble)),
      traffic_(clock.now()),
      busy_until_(clock.now()) {}

void SimulatedPlant::answered(const schedule::Answered& answered) {
  if (!answered.ok) return traffic_.failed();
  ++answered_;
  const schedule::Timing& timing = answered.timing;
  traffic_.answered(answered.variant, timing.done - timing.arrival, timing.done - timing.dispatched,
                    timing.batch);
}

void SimulatedPlant::revive() {
  for (const auto& [id, session] : sessions_) session->revive();
  for (const auto& session : leaving_) session->revive();
}

void SimulatedPlant::give_up() {
  for (const auto& [id, session] : sessions_) session->give_up();
  for (const auto& session : leaving_) session->give_up();
}

void SimulatedPlant::advance() {
  if (!waiting_ || waiting_->first > clock_.now()) return;
  const model::PlanPtr plan = waiting_->second;
  waiting_.reset();
  if (const absl::Status status = scheduler_->publish(plan); !status.ok()) {
    spdlog::warn("plan {}: {}", plan->generation, status.ToString());
  }
  forget_idle();
}

// Sessions that were unloaded leave the scheduler when no plan names them and nothing runs:
// remove_session() would wait for that, and here nobody else moves the time.
void SimulatedPlant::forget_idle() {
  std::erase_if(leaving_, [&](const std::shared_ptr<SimulatedSession>& session) {
    return session->in_flight() == 0 && scheduler_->remove_session(session->variant().id()).ok();
  });
}

// The f32 reference that the governor asks for is the start variant without its errors.
const SimulatedVariant& SimulatedPlant::simulated_of(const model::Variant& variant) const {
  const SimulatedVariant* known = model_.find(variant.engine);
  return known != nullptr ? *known : *model_.find(model_.start);
}

absl::StatusOr<engine::Applied> SimulatedPlant::load(const model::Variant& variant) {
  const std::string id = variant.id();
  if (const auto known = sessions_.find(id); known != sessions_.end()) {
    return known->second->applied();
  }
  const auto leaving = std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& session) {
    return session->variant().id() == id;
  });
  const SimulatedVariant& simulated = simulated_of(variant);
  std::shared_ptr<SimulatedSession> session;
  if (leaving != leaving_.end()) {
    session = *leaving;
    leaving_.erase(leaving);
  } else {
    session = std::make_shared<SimulatedSession>(
        ++sessions_made_, simulated, variant, machine_, random_,
        [this, name = simulated.name] { return trouble_(name); });
    TS_RETURN_IF_ERROR(scheduler_->add_session(session));
  }
  // Compiling keeps one core busy.
  const double seconds = base::to_seconds(simulated.load_time);
  if (seconds > 0) machine_.start(seconds, 1, [] {});
  busy_until_ = std::max(busy_until_, clock_.now()) + simulated.load_time;
  sessions_[id] = session;
  return session->applied();
}

absl::Status SimulatedPlant::unload(const std::string& variant) {
  const auto known = sessions_.find(variant);
  if (known == sessions_.end()) return base::not_found("variant '{}' is not loaded", variant);
  leaving_.push_back(known->second);
  sessions_.erase(known);
  forget_idle();
  return absl::OkStatus();
}

std::uint64_t SimulatedPlant::memory_bytes(const std::string& variant) const {
  const auto known = sessions_.find(variant);
  return known == sessions_.end() ? 0 : known->second->memory_bytes();
}

absl::Status SimulatedPlant::publish(model::Plan plan) {
  for (const model::Plan::Share& share : plan.shares) {
    if (!sessions_.contains(share.variant)) {
      return base::invalid_argument("plan {}: variant '{}' is not loaded", plan.generation,
                                    share.variant);
    }
  }
  auto next = std::make_shared<const model::Plan>(std::move(plan));
  if (scheduler_->plan() != nullptr && busy_until_ > clock_.now()) {
    waiting_ = {busy_until_, std::move(next)};
    return absl::OkStatus();
  }
  waiting_.reset();
  TS_RETURN_IF_ERROR(scheduler_->publish(std::move(next)));
  forget_idle();
  return absl::OkStatus();
}

govern::Observation SimulatedPlant::observe() {
  forget_idle();
  const schedule::Statistics now = scheduler_->statistics();
  return traffic_.take(clock_.now(),
                       {.arrivals = now.arrivals(), .refused = now.refused(), .hung = now.hung});
}

// Enough for the governor to go on: its bottlenecks are not what is simulated.
std::optional<profile::Profile> SimulatedPlant::profile(const std::string& variant) {
  const auto known = sessions_.find(variant);
  if (known == sessions_.end() || known->second->inferences() < kProfileAfter) return std::nullopt;
  const SimulatedSession& session = *known->second;
  profile::Profile profile;
  profile.model = model_.name;
  profile.variant = variant;
  profile.streams = session.simulated().streams;
  const base::Duration service = median_service(session.simulated().service, 1);
  profile.request_time.record(static_cast<std::uint64_t>(service.count()), kProfileAfter);
  return profile;
}

absl::StatusOr<govern::Mirrored> SimulatedPlant::mirror(const std::string& reference,
                                                        const std::string& candidate, int samples) {
  const auto base = sessions_.find(reference);
  const auto other = sessions_.find(candidate);
  if (base == sessions_.end() || other == sessions_.end()) {
    return base::failed_precondition("cannot compare '{}' with '{}': not both are loaded",
                                     reference, candidate);
  }
  govern::Mirrored mirrored;
  const double error = other->second->simulated().label_error;
  const int copies = static_cast<int>(std::min<std::uint64_t>(kCopies, answered_));
  double taken = 0;
  std::uint64_t same = 0;
  for (int i = 0; i < std::min(samples, copies); ++i) {
    const double first = base->second->draw(1), second = other->second->draw(1);
    mirrored.times.emplace_back(base::from_seconds(first), base::from_seconds(second));
    taken += first + second;
    ++mirrored.agreement.samples;
    for (int label = 0; label < kLabels; ++label) {
      same += error > 0 && random_.uniform() < error ? 0 : 1;
      ++mirrored.agreement.labels;
    }
  }
  verify::Agreement& agreement = mirrored.agreement;
  if (agreement.labels > 0) {
    agreement.label_agreement = static_cast<double>(same) / static_cast<double>(agreement.labels);
  }
  agreement.largest_difference = error;
  agreement.bit_exact = error == 0;
  if (taken > 0) {
    machine_.start(taken, std::max(base->second->cores(), other->second->cores()), [] {});
    busy_until_ = std::max(busy_until_, clock_.now()) + base::from_seconds(taken);
  }
  return mirrored;
}

}  // namespace tachostat::simulate

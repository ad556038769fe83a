// The governor's hands on one simulated model of one node: what app/live_plant is for a real one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "govern/govern.h"
#include "govern/observed_traffic.h"
#include "schedule/schedule.h"
#include "simulate/session.h"

namespace tachostat::simulate {

// Nothing here takes time by running the world: a load or a mirrored comparison keeps the governor
// busy until busy_until(), and a plan that it publishes meanwhile is followed from then on. The
// world goes on in between, as it does for the thread that governs a real model.
//
// Thread-compatible.
class SimulatedPlant final : public govern::Plant {
 public:
  using TroubleNow = std::function<Trouble(std::string_view variant)>;

  SimulatedPlant(const base::Clock& clock, const SimulatedModel& model, Machine& machine,
                 Random& random, TroubleNow trouble);

  // Made after what it calls is.
  void set_scheduler(schedule::Scheduler* scheduler) { scheduler_ = scheduler; }
  void answered(const schedule::Answered& answered);
  void revive();   // what hung
  void give_up();  // at the end

  base::Time busy_until() const { return busy_until_; }
  // When a plan that waits is to be followed; Time::max() when none waits.
  base::Time next() const { return waiting_ ? waiting_->first : base::Time::max(); }
  void advance();  // what is due by the clock

  const model::Graph& graph() const override { return simulated_graph(); }
  const engine::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<engine::Applied> load(const model::Variant& variant) override;
  absl::Status unload(const std::string& variant) override;
  std::uint64_t memory_bytes(const std::string& variant) const override;
  absl::Status publish(model::Plan plan) override;
  govern::Observation observe() override;
  std::optional<profile::Profile> profile(const std::string& variant) override;
  std::vector<std::pair<model::InputShapes, double>> observed_shapes() const override { return {}; }
  absl::StatusOr<govern::Mirrored> mirror(const std::string& reference,
                                          const std::string& candidate, int samples) override;

 private:
  const SimulatedVariant& simulated_of(const model::Variant& variant) const;
  void forget_idle();

  const base::Clock& clock_;
  const SimulatedModel& model_;
  Machine& machine_;
  Random& random_;
  const TroubleNow trouble_;
  const engine::Capabilities capabilities_{.version = "1", .devices = {"CPU"}, .precisions = {}};
  schedule::Scheduler* scheduler_ = nullptr;
  std::map<std::string, std::shared_ptr<SimulatedSession>> sessions_;
  std::vector<std::shared_ptr<SimulatedSession>> leaving_;  // unloaded, still busy
  govern::ObservedTraffic traffic_;
  std::uint64_t sessions_made_ = 0;
  std::uint64_t answered_ = 0;
  base::Time busy_until_;
  std::optional<std::pair<base::Time, model::PlanPtr>> waiting_;
};

}  // namespace tachostat::simulate

// The governor's hands on the live request plane of one model: the scheduler, the engine and the
// evidence.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/evidence.h"
#include "app/live_readings.h"
#include "app/traffic.h"
#include "engine/engine.h"
#include "govern/govern.h"
#include "schedule/schedule.h"

namespace tachostat::app {

// Used by the evidence thread only.
class LivePlant final : public govern::Plant {
 public:
  // All must outlive the plant.
  LivePlant(const base::Clock& clock, const model::Graph& graph, engine::Engine& engine,
            engine::Observer& observer, schedule::Scheduler& scheduler, Evidence& evidence,
            TrafficWindow& traffic, RecentInputs& inputs, LiveReadings& readings);

  const model::Graph& graph() const override { return graph_; }
  const engine::Capabilities& capabilities() const override { return engine_.capabilities(); }
  absl::StatusOr<engine::Applied> load(const model::Variant& variant) override;
  absl::Status unload(const std::string& variant) override;
  std::uint64_t memory_bytes(const std::string& variant) const override;
  absl::Status publish(model::Plan plan) override;
  govern::Observation observe() override { return traffic_.take(); }
  std::optional<profile::Profile> profile(const std::string& variant) override;
  std::vector<std::pair<model::InputShapes, double>> observed_shapes() const override {
    return inputs_.shapes();
  }
  absl::StatusOr<govern::Mirrored> mirror(const std::string& reference,
                                          const std::string& candidate, int samples) override;

 private:
  absl::StatusOr<base::Duration> time_one(engine::Session& session,
                                          std::vector<engine::Tensor> inputs,
                                          std::vector<engine::Tensor>& outputs) const;

  const base::Clock& clock_;
  const model::Graph& graph_;
  engine::Engine& engine_;
  engine::Observer& observer_;
  schedule::Scheduler& scheduler_;
  Evidence& evidence_;
  TrafficWindow& traffic_;
  RecentInputs& inputs_;
  LiveReadings& readings_;
  std::map<std::string, std::shared_ptr<engine::Session>> sessions_;
};

}  // namespace tachostat::app

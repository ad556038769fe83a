// One served model: its request plane (scheduler and sessions), its evidence plane (sampler,
// profile, governor), and the one place where the two meet.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "app/evidence.h"
#include "app/live_plant.h"
#include "app/live_readings.h"
#include "app/traffic.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "govern/govern.h"
#include "probe/probe.h"
#include "schedule/schedule.h"
#include "store/store.h"

namespace tachostat::app {

enum class ProbeMode { kOff, kSampled, kAlways };

struct ModelOptions {
  std::string name;  // on the wire; empty: the graph's
  model::Variant start;
  std::vector<verify::Point> verified;       // see govern::GovernorOptions
  std::vector<optimize::Proposal> unproved;  // likewise
  govern::Targets targets;
  govern::Learn learn = govern::Learn::kOn;
  std::string policy = "predictive";  // of govern::policies()
  bool shed = false;                  // see govern::GovernorOptions
  ProbeMode probe = ProbeMode::kSampled;
  double probe_budget = 0.005;
  profile::Roofline roofline;
  std::string machine{};  // Profile::machine
  // Each answered request, on an engine thread. May be null.
  std::function<void(const schedule::Answered&)> on_answered;
  // The newest snapshot of the machine's sensors, for profiles' readings. May be null.
  std::function<std::shared_ptr<const probe::SensorSnapshot>()> sensors;
};

// Thread-safe after Create().
class ModelServer {
 public:
  // Loads the start variant and is then ready to answer; the evidence plane does not run yet. The
  // arguments must outlive the server; `store` may be null.
  static absl::StatusOr<std::unique_ptr<ModelServer>> Create(
      base::Clock& clock, engine::Engine& engine, probe::SpanSource& spans, store::Store* store,
      model::Graph graph, ModelOptions options);
  ~ModelServer();

  // Requests are answered whether or not the evidence plane runs; it may be stopped and started at
  // any time.
  void start_evidence();
  void stop_evidence();

  const std::string& name() const { return options_.name; }
  const model::Graph& graph() const { return graph_; }
  schedule::Scheduler& scheduler() { return *scheduler_; }
  govern::Governor& governor() { return *governor_; }
  const govern::DecisionLog& decisions() const { return *decisions_; }
  Evidence& evidence() { return *evidence_; }
  Capture& capture() { return capture_; }
  LiveReadings& readings() { return readings_; }
  probe::Sampler::Report overhead() const { return sampler_.report(); }

 private:
  ModelServer(base::Clock& clock, probe::SpanSource& spans, model::Graph graph,
              ModelOptions options);
  void run_evidence(const std::stop_token& stop);

  base::Clock& clock_;
  ModelOptions options_;
  const model::Graph graph_;
  probe::Sampler sampler_;
  Capture capture_;
  RecentInputs inputs_;
  const schedule::Scheduler* scheduler_place_ = nullptr;
  LiveReadings readings_{clock_, graph_, inputs_, scheduler_place_};
  SamplingObserver observer_{sampler_, &readings_.shapes()};
  TrafficWindow traffic_{clock_, scheduler_place_};
  std::unique_ptr<schedule::Scheduler> scheduler_;
  std::unique_ptr<Evidence> evidence_;
  std::unique_ptr<LivePlant> plant_;
  std::unique_ptr<govern::DecisionLog> decisions_;
  std::unique_ptr<govern::Governor> governor_;
  std::jthread evidence_thread_;
};

}  // namespace tachostat::app

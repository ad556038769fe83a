// The governor: keeps the targets by choosing among verified variants, and widens the choice by the
// learning loop (profile, diagnose, propose, try, verify). Everything it may do to the request
// plane goes through Plant, so the simulator and the tests run the same governor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/mutex.h"
#include "diagnose/diagnose.h"
#include "model/model.h"
#include "optimize/optimize.h"
#include "profile/profile.h"
#include "store/store.h"
#include "verify/verify.h"

namespace tachostat::govern {

// What the user asked for. Absent: no target on that axis.
struct Targets {
  std::optional<base::Duration> p99;
  double max_drop = 0.01;  // share of labels that may differ from the f32 reference
};
std::string to_json(const Targets& targets);

// Live traffic of one model over a window.
struct Observation {
  base::Time begin, end;
  std::uint64_t arrivals = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t refused = 0;
  std::uint64_t hung = 0;     // inferences given up; their requests are among the failed
  base::Histogram latency;    // ns, arrival to outputs
  base::Histogram service;    // ns, engine time of the inferences
  double mean_in_flight = 0;  // by Little's law: sum of latencies ÷ window
  double mean_batch = 1;      // requests in the inference that answered a request
  std::string variant;        // that answered most

  double seconds() const { return base::to_seconds(end - begin); }
  double arrival_rate() const;
  double throughput() const;
};

// What a policy chose, and why, in one sentence with the numbers it looked at.
struct Choice {
  std::string variant;  // Variant::id() on the frontier
  int max_batch = 1;
  base::Duration max_batch_delay{0};
  bool change = false;
  std::string reason = {};
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const = 0;
  virtual Choice decide(const Observation& observation, const verify::Frontier& frontier,
                        const Targets& targets, std::string_view current, base::Time now) = 0;
};

// A ladder over the frontier. Rungs ascend in capacity. Steps up when p99 misses the target or
// utilisation exceeds `up_utilisation` for `up_windows` windows; steps down when the lower rung's
// predicted p99 would hold with margin for `down_windows`. At least `dwell` between steps, so noise
// moves nothing.
struct LadderOptions {
  double up_utilisation = 0.85;
  double down_utilisation = 0.55;
  double down_margin = 0.8;  // of the p99 target
  int up_windows = 2;
  int down_windows = 6;
  base::Duration dwell = std::chrono::seconds(5);
  std::uint64_t min_answers = 20;  // fewer in a window: no judgement
};
std::unique_ptr<Policy> make_ladder(LadderOptions options = {});

// Chooses by what is expected instead of what was: a forecast of arrivals (Holt's smoothing, and
// the highest of the recent windows), how much slower the machine is than when the variants were
// proved, and queueing theory for each variant under both. Of those that are expected to hold the
// target, the one that answers soonest; where none is, the one that answers most.
struct PredictiveOptions {
  double margin = 0.9;            // of the p99 target
  double most_utilisation = 0.9;  // expected
  double clearly_sooner = 0.85;   // of the mean latency now: worth a switch that is not urgent
  double clearly_more = 1.1;      // of the capacity now, where no variant is expected to hold
  int urged_windows = 1;          // before an urgent switch
  int better_windows = 6;         // before one that is not
  base::Duration urgent_dwell = std::chrono::seconds(1);
  base::Duration dwell = std::chrono::seconds(10);
  std::uint64_t min_answers = 20;
};
std::unique_ptr<Policy> make_predictive(PredictiveOptions options = {});

// Learns on live traffic which variant keeps most requests in time, apart for each load: Thompson
// sampling (Thompson, 1933; Agrawal and Goyal, 2013, for normal rewards). Its prior is what the
// predictive policy expects. It explores only among variants that are expected to carry the load,
// and only while what exploring has cost stays under `regret`.
struct BanditOptions {
  std::uint64_t seed = 1;
  double regret = 0.01;            // share of requests in time that exploring may cost
  double safe_utilisation = 0.85;  // expected; no exploring above it
  double prior_windows = 3;        // that the prior counts for
  double noise = 0.05;             // standard deviation of one window's reward
  int rounds = 5;                  // windows between two draws
  std::uint64_t min_answers = 20;
};
std::unique_ptr<Policy> make_bandit(BanditOptions options = {});

// Stays with what serves: what a policy has to beat.
std::unique_ptr<Policy> make_fixed();

// Every policy, by the name that users give; the first is the default. `seed` is of whatever is
// random in it.
struct PolicyEntry {
  std::string_view name;
  std::string_view what;
  std::unique_ptr<Policy> (*make)(std::uint64_t seed);
};
const std::vector<PolicyEntry>& policies();
// InvalidArgument, which names those that there are.
absl::StatusOr<std::unique_ptr<Policy>> make_policy(std::string_view name, std::uint64_t seed);

// One governor act. Every one is kept.
struct Decision {
  std::uint64_t sequence = 0;
  std::int64_t unix_ms = 0;
  // "start", "switch", "fallback", "trial", "proved", "refused", "holding", "learning" (again),
  // "target", "degraded"
  std::string kind;
  std::string from;    // variant before; empty when none
  std::string to;      // variant after
  std::string reason;  // one sentence with numbers
  std::string evidence_json = "{}";
};
std::string to_json(const Decision& decision);

// Keeps decisions: in memory (the newest 1,000), in the store, in the log. Thread-safe. A store
// that fails is logged once and does not stop anything.
class DecisionLog {
 public:
  DecisionLog(base::Clock& clock, store::Store* store, std::string model);
  void add(Decision decision);  // fills sequence and time
  std::vector<Decision> decisions() const;
  // Called after each addition, on the adder's thread.
  void set_listener(std::function<void(const Decision&)> listener);
  const std::string& model() const { return model_; }

 private:
  base::Clock& clock_;
  store::Store* store_;
  const std::string model_;
  mutable base::Mutex mutex_;
  std::vector<Decision> decisions_ TS_GUARDED_BY(mutex_);
  std::function<void(const Decision&)> listener_ TS_GUARDED_BY(mutex_);
  std::uint64_t next_ TS_GUARDED_BY(mutex_) = 1;
  bool store_failed_ TS_GUARDED_BY(mutex_) = false;
};

// Copies of live requests, answered by two variants.
struct Mirrored {
  verify::Agreement agreement;
  // Engine time of each request: reference, candidate. One at a time, so it says nothing of
  // throughput under load.
  std::vector<std::pair<base::Duration, base::Duration>> times;
};

// What the governor may see of and do to the request plane of one model. app/ implements it over
// the scheduler and the engine; tests and the simulator implement it on a virtual clock. Called by
// the governor's thread only.
class Plant {
 public:
  virtual ~Plant() = default;

  virtual const model::Graph& graph() const = 0;
  virtual const engine::Capabilities& capabilities() const = 0;

  // Loads a variant beside those that serve, and reads back what was applied.
  virtual absl::StatusOr<engine::Applied> load(const model::Variant& variant) = 0;
  virtual absl::Status unload(const std::string& variant) = 0;
  virtual std::uint64_t memory_bytes(const std::string& variant) const = 0;

  virtual absl::Status publish(model::Plan plan) = 0;

  // Live traffic since the last call; the governor calls it at every step.
  virtual Observation observe() = 0;

  // Profiles of live, sampled requests of a variant; nothing until enough were seen.
  virtual std::optional<profile::Profile> profile(const std::string& variant) = 0;
  // Shapes of live requests, most frequent first, with their shares.
  virtual std::vector<std::pair<model::InputShapes, double>> observed_shapes() const = 0;

  // Runs up to `samples` copies of recent live requests through both variants, one at a time and
  // in alternating order, off the request path, and compares. Fewer when traffic was thin.
  virtual absl::StatusOr<Mirrored> mirror(const std::string& reference,
                                          const std::string& candidate, int samples) = 0;
};

enum class Learn { kOff, kShadow, kOn };  // shadow: tries and records, never switches by itself

struct GovernorOptions {
  Targets targets;
  Learn learn = Learn::kOn;
  model::Variant start;
  // Proved before, on this machine: their accuracy is trusted, their speed is measured live. The
  // start variant may be among them.
  std::vector<verify::Point> verified = {};
  // To be tried before anything that findings propose.
  std::vector<optimize::Proposal> unproved = {};
  base::Duration step = std::chrono::milliseconds(250);    // how often step() is meant to be called
  base::Duration block = std::chrono::milliseconds(500);   // one side of a pair in a trial
  base::Duration settle = std::chrono::milliseconds(100);  // after a switch, not counted
  int min_block_requests = 8;
  int mirror_samples = 16;
  verify::SequentialTest::Options test;
  profile::Roofline roofline;
  base::Duration window = std::chrono::seconds(1);  // what the policy judges; longer when thin
  int queue_limit = 256;                            // of the plans
  bool shed = false;  // refuse what would be answered later than the p99 target
  base::Duration least_hang = std::chrono::seconds(10);  // an inference that takes less hangs not
  std::size_t max_loaded = 4;  // variants at once, a temporary f32 reference not counted
  std::uint64_t seed = 1;      // of the order of blocks in trials
  // Who finds bottlenecks and candidates; null: diagnose::diagnose and optimize::propose.
  std::function<std::vector<diagnose::Finding>(const profile::Profile&, const profile::Roofline&)>
      find_bottlenecks;
  std::function<optimize::Proposals(const std::vector<diagnose::Finding>&,
                                    const optimize::Context&)>
      find_candidates;
};

// What whoever starts and stops servers needs to know of this one.
struct Scaling {
  double capacity = 0;       // requests per second that it can hold the p99 target under
  double load = 0;           // requests per second that come
  double headroom = 0;       // 1 - load ÷ capacity; negative: there is too much
  int desired_replicas = 0;  // servers like this one for the load that comes to it; 0: no number
                             // of them would hold the target
};

// The state that `/tachostat/v1/models/{name}` shows.
struct GovernorState {
  std::string phase;  // "observing", "profiling", "verifying", "trial", "holding"
  std::string variant;
  Targets targets;
  std::optional<bool> target_met;  // over the last windows; absent: too little traffic
  double p99_ms = 0;
  double throughput = 0;
  std::optional<Scaling> scaling;  // absent: nothing was measured yet
  std::vector<diagnose::Finding> findings;
  std::vector<optimize::Refusal> refusals;
  std::vector<verify::Trial> trials;
  verify::Frontier frontier;
  std::optional<profile::Profile> profile;  // newest of the serving variant
};

// Runs as a state machine: step() does a bounded amount of work (loading a variant is the longest)
// and returns. One thread calls step(); state() and set_targets() are thread-safe.
class Governor {
 public:
  Governor(base::Clock& clock, Plant& plant, std::unique_ptr<Policy> policy, DecisionLog& log,
           store::Store* store, GovernorOptions options);
  ~Governor();

  // Loads the start variant and publishes the first plan. Its error is final.
  absl::Status start();
  void step();
  GovernorState state() const;
  void set_targets(const Targets& targets);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tachostat::govern

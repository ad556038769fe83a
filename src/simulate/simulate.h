// The governor, the scheduler, the batcher and the policies on a virtual clock: what would they do
// under this load, on this machine, when that happens to it? What is simulated is the clients, the
// routing between nodes and how long an inference takes; everything that decides is the code that
// serves. The same scenario and seed give the same report, bit for bit, on every machine.
//
// docs/simulate.md describes the scenario's file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "govern/govern.h"

namespace tachostat::simulate {

// How long one inference takes when it has the cores that it asks for, at full speed.
struct Service {
  // Median of an inference of 1, 2, … requests; beyond the last, the last step goes on.
  std::vector<base::Duration> by_batch = {};
  double noise = 0.05;  // standard deviation of its logarithm
  // Instead of `noise`: times that were measured, scaled to the median. Empty: not given.
  base::Histogram measured = {};
};

struct SimulatedVariant {
  std::string name = {};
  Service service = {};
  int threads = 1;  // over all streams; each inference keeps threads ÷ streams cores busy
  int streams = 1;
  int batch = 1;
  bool verified = true;    // false: a proposal that learning may try
  double drop_bound = 0;   // what its proof says, when it is verified
  double label_error = 0;  // chance that a label differs from the reference's
  double failures = 0;     // share of inferences that fail
  std::uint64_t memory_bytes = 0;
  base::Duration load_time = std::chrono::milliseconds(500);
};

// Requests of one kind of client.
struct RequestClass {
  std::string name = {};
  double share = 1;                             // of the model's requests, relative
  std::optional<base::Duration> deadline = {};  // told to the scheduler; absent: the model's
};

// One stream of arrivals; those of a model add up.
struct Arrivals {
  enum class Kind { kPoisson, kMarkov, kPareto, kRamp, kDiurnal, kReplay, kClosed };
  Kind kind = Kind::kPoisson;
  base::Duration begin{0};
  base::Duration end = base::Duration::max();
  double rate = 0;     // requests per second; of a ramp: at its begin; of a day: the mean
  double to_rate = 0;  // of a ramp: at its end
  double shape = 1.5;  // Pareto: tail index of the gaps, over 1; the smaller, the wilder
  // Markov-modulated: the rate of each state and its mean stay; the next state is drawn evenly.
  std::vector<double> rates = {};
  std::vector<base::Duration> stays = {};
  double swing = 0.5;                              // of a day: amplitude ÷ mean
  base::Duration period = std::chrono::hours(24);  // of a day
  std::vector<base::Duration> times = {};          // replay: since begin
  int clients = 0;                                 // closed loop
  base::Duration think{0};                         // closed loop: mean, exponential
};

struct SimulatedModel {
  std::string name = {};
  govern::Targets targets = {};
  std::optional<base::Duration> deadline = {};  // told to the scheduler
  std::string policy = "predictive";            // of govern::policies()
  govern::Learn learn = govern::Learn::kOff;
  base::Duration step = std::chrono::milliseconds(50);
  base::Duration window = std::chrono::seconds(1);
  int queue_limit = 256;
  bool shed = false;  // what would be answered later than the p99 target
  base::Duration least_hang = std::chrono::seconds(10);  // see govern::GovernorOptions
  std::string start = {};                                // name of a variant
  std::optional<double> attain = {};  // share of requests in time that the user asks for
  std::vector<SimulatedVariant> variants = {};
  std::vector<Arrivals> arrivals = {};
  std::vector<RequestClass> classes = {};  // at least one

  // Within which an answer counts as in time, of a class.
  base::Duration limit(const RequestClass& each) const;
  const SimulatedVariant* find(std::string_view variant) const;
};

// Something that happens to the machine or the engine, and ends.
struct Event {
  enum class Kind {
    kSlow,   // everything takes `value` times as long: heat, a lower frequency
    kCores,  // only `value` cores are left: a quota
    kTaken,  // a neighbour keeps `value` cores busy
    kFail,   // a share `value` of inferences fails
    kHang,   // inferences do not end before the event does
    kDown,   // the node answers nothing, and nothing is sent to it
  };
  Kind kind = Kind::kSlow;
  base::Duration at{0};
  base::Duration until = base::Duration::max();
  double value = 1;
  int node = -1;             // -1: all
  std::string variant = {};  // of kFail and kHang; empty: all
};
std::string_view name_of(Event::Kind kind);

enum class Routing { kRoundRobin, kRandom, kTwoChoices };

struct Scenario {
  std::string name = {};
  base::Duration duration = std::chrono::seconds(60);
  base::Duration warm_up{0};  // not counted
  std::uint64_t seed = 1;
  int nodes = 1;
  double cores = 1;  // of each node
  Routing routing = Routing::kTwoChoices;
  std::vector<SimulatedModel> models = {};
  std::vector<Event> events = {};
};

// NotFound: no such file; InvalidArgument: it says which key of which table, what was expected and
// what was found. Files that it names (profiles, replays) are relative to its own folder.
absl::StatusOr<Scenario> read_scenario(const std::string& path);

struct Recovery {
  std::string event = {};  // "cores 1"
  bool ended = false;      // the event's end, not its begin
  double at_s = 0;
  // From then until requests that arrive are in time again, 99 % of them over two seconds; absent:
  // not within the simulation.
  std::optional<double> seconds = {};
  int switches = 0;  // from then until the next change
};

struct ModelReport {
  std::string name = {};
  std::string policy = {};
  std::uint64_t arrivals = 0;
  std::uint64_t answered = 0;
  std::uint64_t in_time = 0;
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;
  std::uint64_t lost = 0;        // accepted and never answered: must be 0
  double bound_in_time = 0;      // that no schedule, knowing the future, can exceed
  base::Histogram latency = {};  // ns, of what was answered
  std::uint64_t switches = 0;
  std::uint64_t promoted = 0;  // candidates that were proved
  // Seconds since the begin, node, decision; at most kKeptDecisions of all nodes.
  struct Act {
    double at_s;
    int node;
    govern::Decision decision;
  };
  std::vector<Act> decisions = {};
  std::vector<Recovery> recoveries = {};
  std::vector<std::pair<std::string, std::uint64_t>> answered_by = {};  // variant's name, requests

  double attainment() const;
  double of_bound() const;  // in time ÷ bound; 1 when nothing could be
};

struct Report {
  std::string scenario = {};
  std::uint64_t seed = 0;
  double seconds = 0;  // counted, of virtual time
  int nodes = 1;
  std::vector<ModelReport> models = {};
};

inline constexpr std::size_t kKeptDecisions = 200;

struct Options {
  std::function<void(double share)> progress =
      nullptr;                // may be null; called some times a second at most
  std::stop_token stop = {};  // ends early with Cancelled
};

// InvalidArgument when the scenario contradicts itself (read_scenario() gives none such).
absl::StatusOr<Report> simulate(const Scenario& scenario, const Options& options = {});

// One scenario under many seeds: what is rare shows.
struct ManyModel {
  std::string name = {};
  std::string policy = {};
  std::uint64_t arrivals = 0, in_time = 0, refused = 0, failed = 0, lost = 0;
  std::uint64_t switches = 0, promoted = 0;
  std::uint64_t seeds_with_switches = 0, seeds_with_promotions = 0;
  double bound_in_time = 0;
  double worst_attainment = 1;
  double worst_of_bound = 1;

  double attainment() const;  // as a ModelReport's
  double of_bound() const;
};
struct ManyReport {
  std::string scenario = {};
  std::uint64_t first_seed = 0, seeds = 0;
  double hours = 0;  // counted, of virtual time, of all seeds and nodes
  std::vector<ManyModel> models = {};
};
// Seeds from the scenario's on, `threads` at once; the report does not depend on how many.
absl::StatusOr<ManyReport> simulate_many(const Scenario& scenario, std::uint64_t seeds, int threads,
                                         const Options& options = {});
std::string to_json(const ManyReport& report);
std::string to_text(const ManyReport& report);

std::string to_json(const Report& report);
std::string to_text(const Report& report);  // for people

}  // namespace tachostat::simulate

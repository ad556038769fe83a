// The event loop: arrivals, nodes and events in order of time.
#include <algorithm>
#include <memory>
#include <queue>

#include "base/status.h"
#include "simulate/arrivals.h"
#include "simulate/node.h"
#include "simulate/recorder.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {
namespace {

constexpr base::Duration kDrain = std::chrono::seconds(60);        // for what is open at the end
constexpr base::Duration kRetry = std::chrono::milliseconds(100);  // of a client that was refused
constexpr int kLookEvery = 4096;                                   // moments, at progress and stop

std::string_view variant_name(std::string_view id) { return id.substr(0, id.find('.')); }

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario)
      : scenario_(scenario), begin_(clock_.now()), random_(scenario.seed, "routing") {}

  absl::StatusOr<Report> run(const Options& options) {
    TS_RETURN_IF_ERROR(build());
    const base::Time end = begin_ + scenario_.duration;
    int moments = 0;
    while (!moments_.empty() && moments_.top().at < end) {
      if (++moments % kLookEvery == 0) {
        if (options.stop.stop_requested()) return absl::CancelledError("interrupted");
        if (options.progress) {
          options.progress(base::to_seconds(elapsed()) / base::to_seconds(scenario_.duration));
        }
      }
      take_next();
    }
    closed_ = true;
    while (!moments_.empty() && moments_.top().at < end + kDrain && open() > 0) take_next();
    return report();
  }

 private:
  enum class Kind { kChange, kNode, kArrival };  // in this order at the same moment
  struct Moment {
    base::Time at;
    Kind kind;
    std::size_t index;      // of a node or a stream
    std::uint64_t version;  // of a node: an older one is void

    bool operator>(const Moment& other) const {
      return std::tuple(at, kind, index) > std::tuple(other.at, other.kind, other.index);
    }
  };
  struct Stream {
    std::size_t model;
    const Arrivals* law;
    std::unique_ptr<ArrivalStream> times;  // null: a closed loop
    Random random;                         // of classes and thinking
  };

  base::Duration elapsed() const { return clock_.now() - begin_; }

  absl::Status build() {
    for (const SimulatedModel& model : scenario_.models) {
      recorders_.push_back(std::make_unique<Recorder>(scenario_, model));
    }
    for (int i = 0; i < scenario_.nodes; ++i) {
      nodes_.push_back(std::make_unique<Node>(
          scenario_, i, clock_, [this, i](std::size_t model, const govern::Decision& decision) {
            recorders_[model]->decided(elapsed(), i, decision);
          }));
      TS_RETURN_IF_ERROR(nodes_.back()->start());
    }
    versions_.assign(nodes_.size(), 0);
    scheduled_.assign(nodes_.size(), base::Time::max());
    for (std::size_t i = 0; i < nodes_.size(); ++i) follow(i);
    for (const base::Duration change : changes_of(scenario_)) {
      moments_.push({begin_ + change, Kind::kChange, 0, 0});
    }
    for (std::size_t m = 0; m < scenario_.models.size(); ++m) add_streams(m);
    return absl::OkStatus();
  }

  void add_streams(std::size_t m) {
    const SimulatedModel& model = scenario_.models[m];
    for (std::size_t a = 0; a < model.arrivals.size(); ++a) {
      const Arrivals& law = model.arrivals[a];
      const std::string name = fmt::format("arrivals {} {}", model.name, a);
      Stream stream{.model = m,
                    .law = &law,
                    .times = make_stream(law, scenario_.duration, Random(scenario_.seed, name)),
                    .random = Random(scenario_.seed, name + " classes")};
      streams_.push_back(std::move(stream));
      const std::size_t index = streams_.size() - 1;
      if (streams_[index].times != nullptr) {
        schedule_arrival(index);
        continue;
      }
      for (int client = 0; client < law.clients; ++client) {
        think(index, begin_ + law.begin + std::chrono::microseconds(client));
      }
    }
  }

  void schedule_arrival(std::size_t stream) {
    const std::optional<base::Duration> at = streams_[stream].times->next();
    if (at) moments_.push({begin_ + *at, Kind::kArrival, stream, 0});
  }

  // A client of a closed loop sends its next request.
  void think(std::size_t index, base::Time from) {
    Stream& stream = streams_[index];
    if (stream.law->think > base::Duration(0)) {
      from += base::from_seconds(stream.random.exponential(base::to_seconds(stream.law->think)));
    }
    const base::Duration end = std::min(stream.law->end, scenario_.duration);
    if (from < begin_ + end) moments_.push({from, Kind::kArrival, index, 0});
  }

  void take_next() {
    const Moment moment = moments_.top();
    moments_.pop();
    if (moment.kind == Kind::kNode && moment.version != versions_[moment.index]) return;
    clock_.set(std::max(clock_.now(), moment.at));
    switch (moment.kind) {
      case Kind::kNode:
        scheduled_[moment.index] = base::Time::max();
        nodes_[moment.index]->advance();
        return follow(moment.index);
      case Kind::kChange:
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
          nodes_[i]->advance();
          nodes_[i]->changed();
          follow(i);
        }
        return;
      case Kind::kArrival:
        return arrive(moment.index);
    }
  }

  // The node's next moment, when it has changed.
  void follow(std::size_t node) {
    const base::Time next = std::max(nodes_[node]->next(), clock_.now());
    if (next == scheduled_[node]) return;
    scheduled_[node] = next;
    ++versions_[node];
    if (next < base::Time::max()) moments_.push({next, Kind::kNode, node, versions_[node]});
  }

  std::size_t draw_class(const SimulatedModel& model, Random& random) const {
    if (model.classes.size() == 1) return 0;
    double total = 0;
    for (const RequestClass& each : model.classes) total += each.share;
    double left = random.uniform() * total;
    for (std::size_t i = 0; i + 1 < model.classes.size(); ++i) {
      left -= model.classes[i].share;
      if (left <= 0) return i;
    }
    return model.classes.size() - 1;
  }

  void arrive(std::size_t index) {
    Stream& stream = streams_[index];
    if (stream.times != nullptr) schedule_arrival(index);
    const std::size_t m = stream.model;
    const SimulatedModel& model = scenario_.models[m];
    const RequestClass& each = model.classes[draw_class(model, stream.random)];
    const std::optional<base::Duration> told = each.deadline ? each.deadline : model.deadline;
    const base::Time now = clock_.now();
    recorders_[m]->arrived(elapsed());
    const std::size_t node = route(m);
    const bool closed_loop = stream.times == nullptr;
    nodes_[node]->submit(
        m, told ? now + *told : base::Time::max(),
        [this, m, index, closed_loop, arrival = elapsed(),
         limit = model.limit(each)](const absl::StatusOr<schedule::Response>& response) {
          ended(m, arrival, limit, response);
          if (!closed_loop || closed_) return;
          think(index, clock_.now() + (response.ok() ? base::Duration(0) : kRetry));
        });
    follow(node);
  }

  void ended(std::size_t m, base::Duration arrival, base::Duration limit,
             const absl::StatusOr<schedule::Response>& response) {
    if (response.ok()) {
      return recorders_[m]->ended(arrival, elapsed(), limit, Recorder::End::kAnswered,
                                  variant_name(response->variant));
    }
    const absl::StatusCode code = response.status().code();
    const bool refused =
        code == absl::StatusCode::kResourceExhausted || code == absl::StatusCode::kDeadlineExceeded;
    recorders_[m]->ended(arrival, elapsed(), limit,
                         refused ? Recorder::End::kRefused : Recorder::End::kFailed, "");
  }

  std::size_t any_up() {
    std::size_t node = random_.below(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size() && nodes_[node]->down(); ++i) {
      node = (node + 1) % nodes_.size();
    }
    return node;
  }

  std::size_t route(std::size_t model) {
    if (nodes_.size() == 1) return 0;
    switch (scenario_.routing) {
      case Routing::kRandom:
        return any_up();
      case Routing::kRoundRobin:
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
          turn_ = (turn_ + 1) % nodes_.size();
          if (!nodes_[turn_]->down()) break;
        }
        return turn_;
      case Routing::kTwoChoices: {  // Mitzenmacher, 2001
        const std::size_t one = any_up(), other = any_up();
        return nodes_[one]->load(model) <= nodes_[other]->load(model) ? one : other;
      }
    }
    return 0;
  }

  std::uint64_t open() const {
    std::uint64_t open = 0;
    for (const auto& recorder : recorders_) open += recorder->open();
    return open;
  }

  Report report() const {
    Report report{.scenario = scenario_.name,
                  .seed = scenario_.seed,
                  .seconds = base::to_seconds(scenario_.duration - scenario_.warm_up),
                  .nodes = scenario_.nodes};
    std::vector<double> bounds;
    for (const auto& recorder : recorders_) {
      report.models.push_back(recorder->report());
      bounds.push_back(recorder->bound_alone());
    }
    bounds = capped_together(scenario_, std::move(bounds));
    for (std::size_t i = 0; i < bounds.size(); ++i) report.models[i].bound_in_time = bounds[i];
    return report;
  }

  const Scenario& scenario_;
  base::ManualClock clock_;
  const base::Time begin_;
  Random random_;
  std::vector<std::unique_ptr<Recorder>> recorders_;
  std::vector<Stream> streams_;
  std::priority_queue<Moment, std::vector<Moment>, std::greater<>> moments_;
  std::vector<std::uint64_t> versions_;
  std::vector<base::Time> scheduled_;
  std::size_t turn_ = 0;
  bool closed_ = false;
  // Last, so that what is still open is answered while the recorders are there.
  std::vector<std::unique_ptr<Node>> nodes_;
};

absl::Status check(const Scenario& scenario) {
  if (scenario.nodes < 1 || scenario.models.empty() || scenario.duration <= scenario.warm_up) {
    return base::invalid_argument(
        "scenario '{}': expected a node, a model and a duration over the warm-up, found {}, {}, "
        "{:g} s over {:g} s",
        scenario.name, scenario.nodes, scenario.models.size(), base::to_seconds(scenario.duration),
        base::to_seconds(scenario.warm_up));
  }
  for (const SimulatedModel& model : scenario.models) {
    if (model.classes.empty() || model.find(model.start) == nullptr) {
      return base::invalid_argument("model '{}': expected a class and the start variant '{}'",
                                    model.name, model.start);
    }
    TS_RETURN_IF_ERROR(govern::make_policy(model.policy, 1).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Report> simulate(const Scenario& scenario, const Options& options) {
  TS_RETURN_IF_ERROR(check(scenario));
  return Simulation(scenario).run(options);
}

}  // namespace tachostat::simulate

// A simulated request plane on a manual clock, for the governor's tests: clients, a queue, streams
// and service times, all drawn from one seed. Behaves like the real one where the governor can
// tell: plans route by shapes, sessions have streams, loading and mirroring take time while traffic
// goes on.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "govern/govern.h"

namespace tachostat::govern {

// How a variant does, whatever it was asked for.
struct FakeBehaviour {
  double service_ms = 10;  // median of one inference
  double noise = 0.05;     // standard deviation of its logarithm
  int threads = 2;         // as applied
  int streams = 1;
  std::string precision = "f32";
  absl::Status load_error = absl::OkStatus();
  double label_error = 0;  // chance that a label differs from the reference's
  double difference = 0;   // largest, of the largest value
  bool finite = true;
  double failure_rate = 0;
  std::uint64_t memory = 1 << 20;
};

struct FakeTraffic {
  int clients = 0;  // each sends its next request when it has its answer (closed loop)
  double rate = 0;  // Poisson arrivals per second (open loop)
  // Shapes of requests and their shares; none: without shapes.
  std::vector<std::pair<model::InputShapes, double>> shapes = {};
};

// Thread-compatible.
class FakePlant final : public Plant {
 public:
  static constexpr int kProfileAfter = 30;  // answers
  static constexpr int kCopies = 16;        // recent requests that can be mirrored

  FakePlant(base::ManualClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

  std::function<FakeBehaviour(const model::Variant&)> behaviour = [](const model::Variant&) {
    return FakeBehaviour();
  };
  base::Duration load_time = std::chrono::milliseconds(200);
  int labels_per_request = 40;
  bool has_profiles = true;
  absl::Status publish_error = absl::OkStatus();

  void set_traffic(FakeTraffic traffic);
  // Lets time and traffic go on.
  void run(base::Duration duration);

  // What happened.
  const std::vector<model::Plan>& plans() const { return plans_; }
  const std::vector<std::string>& loads() const { return loads_; }
  std::set<std::string> loaded() const;
  std::size_t most_loaded() const { return most_loaded_; }
  std::uint64_t unroutable() const { return unroutable_; }  // no share took the request's shapes
  std::uint64_t answered() const { return answered_; }
  int mirrors() const { return mirrors_; }

  model::Graph graph_value;
  engine::Capabilities capabilities_value;

  const model::Graph& graph() const override { return graph_value; }
  const engine::Capabilities& capabilities() const override { return capabilities_value; }
  absl::StatusOr<engine::Applied> load(const model::Variant& variant) override;
  absl::Status unload(const std::string& variant) override;
  std::uint64_t memory_bytes(const std::string& variant) const override;
  absl::Status publish(model::Plan plan) override;
  Observation observe() override;
  std::optional<profile::Profile> profile(const std::string& variant) override;
  std::vector<std::pair<model::InputShapes, double>> observed_shapes() const override;
  absl::StatusOr<Mirrored> mirror(const std::string& reference, const std::string& candidate,
                                  int samples) override;

 private:
  struct Request {
    base::Time arrival;
    int client = -1;  // -1: open loop
    int shape = -1;   // index into the traffic's shapes
    int epoch = 0;    // of the traffic that it belongs to
  };
  struct Inference {
    std::vector<Request> requests;
    std::string variant;
    base::Time dispatched;
  };
  struct Loaded {
    model::Variant variant;
    FakeBehaviour behaviour;
    std::vector<base::Time> free;  // per stream
    std::uint64_t answered = 0;
  };

  double uniform();  // in (0, 1)
  base::Duration service_time(const FakeBehaviour& how);
  void schedule_arrival(base::Time at, int client);
  void arrive(Request request);
  void dispatch();
  const std::string* route(const Request& request) const;
  void finish(const Inference& inference, base::Time done);

  base::ManualClock& clock_;
  std::mt19937_64 random_;
  FakeTraffic traffic_;
  int epoch_ = 0;
  std::multimap<base::Time, Request> arrivals_;
  std::multimap<base::Time, Inference> completions_;
  std::deque<Request> queue_;
  int in_flight_ = 0;
  model::Plan plan_;
  std::map<std::string, Loaded> loaded_;

  Observation window_;
  double latency_seconds_ = 0;
  std::map<std::string, std::uint64_t> answered_by_;
  std::vector<std::uint64_t> shape_counts_;

  std::vector<model::Plan> plans_;
  std::vector<std::string> loads_;
  std::size_t most_loaded_ = 0;
  std::uint64_t unroutable_ = 0;
  std::uint64_t answered_ = 0;
  int mirrors_ = 0;
};

}  // namespace tachostat::govern

// The wire: Open Inference Protocol (KServe v2) over HTTP/1.1 and gRPC, metrics, and the JSON pages
// of the evidence plane, which app/ registers as routes. Serving knows the scheduler and nothing
// behind it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "model/model.h"
#include "schedule/schedule.h"

namespace tachostat::serve {

struct WantedOutput {
  std::string name;
  std::optional<bool> binary;  // HTTP only; empty: as the request's default says
};

// What the wire knows of one answered request, for whoever watches.
struct Wired {
  base::Duration decode;  // to read the request from its whole, uncompressed bytes
  base::Duration encode;  // to write the answer, not to send it
  bool text;              // tensors came as numbers in JSON
  const std::vector<WantedOutput>& outputs;  // those that were named; empty: all
};

// One served model, as the wire sees it. Owned by the repository; the scheduler is owned by app/
// and outlives it.
struct ServedModel {
  std::string name;
  std::string version = "1";
  std::string platform;  // "openvino"
  model::Graph graph;
  schedule::Scheduler* scheduler = nullptr;
  // Each answered request, on a network or engine thread: be quick. May be null.
  std::function<void(const Wired&)> on_wired = nullptr;
  // When the last inference was asked for, milliseconds since the epoch; kept by the servers.
  std::shared_ptr<std::atomic<std::int64_t>> last_inference_ms =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

// The models by name. Thread-safe; a model found stays valid while the pointer is held.
class Repository {
 public:
  void add(ServedModel model);
  // Version may be empty. NotFound names the model and lists those that exist.
  absl::StatusOr<std::shared_ptr<const ServedModel>> find(std::string_view name,
                                                          std::string_view version) const;
  std::vector<std::shared_ptr<const ServedModel>> list() const;
  // True from the moment app/ says so until the stop: what /v2/health/ready answers.
  void set_ready(bool ready);
  bool ready() const;

 private:
  mutable base::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const ServedModel>, std::less<>> models_
      TS_GUARDED_BY(mutex_);
  bool ready_ TS_GUARDED_BY(mutex_) = false;
};

// Counters and histograms, in Prometheus text. Names: Triton's nv_inference_* where the meaning is
// the same, tachostat_* else. Thread-safe.
class Metrics {
 public:
  explicit Metrics(const Repository& repository);
  ~Metrics();
  // For schedule::Scheduler::Options::on_answered.
  void answered(std::string_view model, const schedule::Answered& answered);
  // A gauge whose value is read when scraped, e.g. tachostat_overhead_ratio. Labels: model.
  void add_gauge(std::string name, std::string help, std::string model,
                 std::function<double()> read);
  // A family of gauges whose members are found when scraped, e.g. one per sensor.
  struct Reading {
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
  };
  void add_gauges(std::string name, std::string help, std::function<std::vector<Reading>()> read);
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A page outside the inference protocol, e.g. GET /tachostat/v1/models/{name}/decisions.
struct Page {
  std::string body;
  std::string content_type = "application/json";
};
struct PageRequest {
  std::map<std::string, std::string, std::less<>> parameters;  // from {…} in the pattern
  std::map<std::string, std::string, std::less<>> query;
  std::string body;
};
using PageHandler = std::function<absl::StatusOr<Page>(const PageRequest&)>;
struct Route {
  std::string method;   // "GET", "PUT"
  std::string pattern;  // "/tachostat/v1/models/{name}/decisions"
  PageHandler handler;  // called on a network thread: must not wait
};

struct Limits {
  std::size_t max_body = 256u << 20;  // bytes of one request; a larger one is refused unread
  base::Duration idle_timeout = std::chrono::seconds(60);
};

// A listening server. Destruction closes what is open.
class Server {
 public:
  virtual ~Server() = default;
  // "127.0.0.1:8000", with the port that the system chose when 0 was asked for.
  virtual std::string address() const = 0;
  // Graceful stop, first half: accept no new connections or requests. What was read is still
  // answered.
  virtual void stop_accepting() = 0;
  // Second half: returns when every answer is written, or at the deadline (false; the rest is cut).
  virtual bool drain(base::Time deadline) = 0;
};

// `address` is "host:port"; port 0 lets the system choose. Errors name the address: not an address,
// in use.
absl::StatusOr<std::unique_ptr<Server>> start_http(const std::string& address, base::Clock& clock,
                                                   const Repository& repository,
                                                   const Metrics& metrics,
                                                   std::vector<Route> routes, Limits limits);
absl::StatusOr<std::unique_ptr<Server>> start_grpc(const std::string& address, base::Clock& clock,
                                                   const Repository& repository, Limits limits);

}  // namespace tachostat::serve

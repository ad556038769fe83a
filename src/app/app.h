// The composition root: builds both planes of every served model, the wire in front of them, and
// stops them in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/model_server.h"
#include "app/otlp_push.h"
#include "app/sensing.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "probe/probe.h"
#include "serve/serve.h"
#include "store/store.h"

namespace tachostat::app {

struct AppOptions {
  std::string model_path;
  ModelOptions model;
  std::string http =
      "127.0.0.1:8000";  // host:port, port 0 lets the system choose; empty: not served
  std::string grpc = "127.0.0.1:8001";
  std::string store;  // a directory; empty: kept in memory
  serve::Limits limits;
  probe::SensorOptions sensors;
  OtlpOptions otlp;  // no endpoint: nothing is pushed
  base::Duration stop_timeout = std::chrono::seconds(30);
};

// One thread creates, stops and destroys it.
class App {
 public:
  // Binds the addresses before it loads the model, so that a port in use is known at once; requests
  // are answered when this returns. Errors name what is wrong: the model, the store, an address.
  static absl::StatusOr<std::unique_ptr<App>> Create(base::Clock& clock, engine::Engine& engine,
                                                     probe::SpanSource& spans, AppOptions options);
  ~App();

  std::string http_address() const { return http_ ? http_->address() : ""; }
  std::string grpc_address() const { return grpc_ ? grpc_->address() : ""; }
  ModelServer& model() { return *model_; }

  // Refuses new requests, answers the accepted ones, closes. False when the timeout cut something
  // off.
  bool stop();

 private:
  App(base::Clock& clock, AppOptions options);
  Telemetry telemetry();
  void add_gauges();
  void add_sensor_gauges();
  void add_scaling_gauges();

  base::Clock& clock_;
  AppOptions options_;
  Sensing sensing_;
  std::unique_ptr<store::Store> store_;
  serve::Repository repository_;
  serve::Metrics metrics_{repository_};
  std::unique_ptr<ModelServer> model_;
  std::unique_ptr<serve::Server> http_;
  std::unique_ptr<serve::Server> grpc_;
  std::unique_ptr<OtlpPusher> otlp_;
  bool stopped_ = false;
};

}  // namespace tachostat::app

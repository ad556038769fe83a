#include "app/app.h"

#include "app/pages.h"
#include "base/log.h"
#include "base/status.h"

namespace tachostat::app {

App::App(base::Clock& clock, AppOptions options)
    : clock_(clock), options_(std::move(options)), sensing_(clock, options_.sensors) {}

absl::StatusOr<std::unique_ptr<App>> App::Create(base::Clock& clock, engine::Engine& engine,
                                                 probe::SpanSource& spans, AppOptions options) {
  std::unique_ptr<App> app(new App(clock, std::move(options)));
  App* self = app.get();
  if (self->options_.store.empty()) {
    self->store_ = store::open_memory();
  } else {
    TS_ASSIGN_OR_RETURN(self->store_, store::open_sqlite(self->options_.store));
  }
  if (!self->options_.otlp.endpoint.empty()) {
    TS_ASSIGN_OR_RETURN(self->otlp_, OtlpPusher::Create(clock, self->options_.otlp,
                                                        [self] { return self->telemetry(); }));
  }
  // The pages ask for the model when they are called; until it is loaded they answer "not ready".
  auto model = [self]() -> ModelServer* {
    return self->repository_.ready() ? self->model_.get() : nullptr;
  };
  if (!self->options_.http.empty()) {
    TS_ASSIGN_OR_RETURN(
        self->http_,
        serve::start_http(self->options_.http, clock, self->repository_, self->metrics_,
                          make_pages(model, spans, self->sensing_), self->options_.limits));
  }
  if (!self->options_.grpc.empty()) {
    TS_ASSIGN_OR_RETURN(self->grpc_, serve::start_grpc(self->options_.grpc, clock,
                                                       self->repository_, self->options_.limits));
  }
  ModelOptions model_options = self->options_.model;
  model_options.on_answered = [self](const schedule::Answered& answered) {
    self->metrics_.answered(self->model_ ? self->model_->name() : "", answered);
  };
  model_options.sensors = [self] { return self->sensing_.snapshot(); };
  TS_ASSIGN_OR_RETURN(model::Graph graph, model::read(self->options_.model_path));
  TS_ASSIGN_OR_RETURN(
      self->model_, ModelServer::Create(clock, engine, spans, self->store_.get(), std::move(graph),
                                        std::move(model_options)));
  self->repository_.add({.name = self->model_->name(),
                         .platform = std::string(engine.name()),
                         .graph = self->model_->graph(),
                         .scheduler = &self->model_->scheduler(),
                         .on_wired = [readings = &self->model_->readings()](
                                         const serve::Wired& wired) { readings->wired(wired); }});
  self->add_gauges();
  self->repository_.set_ready(true);
  self->model_->start_evidence();
  if (self->otlp_) self->otlp_->start();
  return app;
}

Telemetry App::telemetry() {
  Telemetry telemetry{.profile = model_->governor().state().profile, .trace = {}};
  if (!telemetry.profile) return telemetry;
  telemetry.trace = model_->evidence().recent_trace();
  sensing_.add_tracks(telemetry.trace);
  return telemetry;
}

void App::add_sensor_gauges() {
  metrics_.add_gauges(
      "tachostat_sensor", "What the machine's sensors say; counters per second.", [this] {
        std::vector<serve::Metrics::Reading> readings;
        for (const probe::SensorStatus& sensor : sensing_.snapshot()->sensors) {
          for (const probe::SensorStatus::Value& value : sensor.values) {
            const bool is_counter = value.reading.kind == probe::Reading::Kind::kCounter;
            if (is_counter && !value.rate) continue;
            readings.push_back(
                {.labels = {{"name", value.reading.name},
                            {"unit", is_counter ? value.rate_unit : value.reading.unit}},
                 .value = is_counter ? *value.rate : value.reading.value});
          }
        }
        return readings;
      });
}

// Nothing is said before it is known: an autoscaler keeps what it has when a metric is absent.
void App::add_scaling_gauges() {
  ModelServer* model = model_.get();
  const auto add = [&](const char* name, const char* help,
                       double (*value)(const govern::Scaling&)) {
    metrics_.add_gauges(name, help, [model, value] {
      std::vector<serve::Metrics::Reading> readings;
      if (const auto scaling = model->governor().state().scaling) {
        readings.push_back({.labels = {{"model", model->name()}}, .value = value(*scaling)});
      }
      return readings;
    });
  };
  add("tachostat_capacity_requests_per_second",
      "Requests per second under which this server can hold the p99 target.",
      [](const govern::Scaling& scaling) { return scaling.capacity; });
  add("tachostat_headroom_ratio",
      "Share of that capacity which is free; below 0 there is too much load.",
      [](const govern::Scaling& scaling) { return scaling.headroom; });
  add("tachostat_desired_replicas",
      "Servers like this one for the load that comes to this one; 0: none would do.",
      [](const govern::Scaling& scaling) { return static_cast<double>(scaling.desired_replicas); });
}

void App::add_gauges() {
  add_sensor_gauges();
  add_scaling_gauges();
  ModelServer* model = model_.get();
  metrics_.add_gauge("tachostat_profiling_overhead_ratio",
                     "Share of request time that profiling costs.", model->name(),
                     [model] { return model->overhead().overhead; });
  metrics_.add_gauge("tachostat_p99_seconds", "99th percentile of latency in the last window.",
                     model->name(), [model] { return model->governor().state().p99_ms / 1e3; });
  metrics_.add_gauge("tachostat_target_met",
                     "1 when the latency target was met, 0 when not, -1 unknown.", model->name(),
                     [model] {
                       const std::optional<bool> met = model->governor().state().target_met;
                       return met ? (*met ? 1.0 : 0.0) : -1.0;
                     });
}

bool App::stop() {
  if (stopped_) return true;
  stopped_ = true;
  const base::Time deadline = clock_.now() + options_.stop_timeout;
  repository_.set_ready(false);
  otlp_.reset();
  for (serve::Server* server : {http_.get(), grpc_.get()}) {
    if (server) server->stop_accepting();
  }
  // Governing ends first: a trial in the middle of a stop would only be in the way.
  if (model_) model_->stop_evidence();
  bool all = true;
  for (serve::Server* server : {http_.get(), grpc_.get()}) {
    if (server) all = server->drain(deadline) && all;
  }
  if (model_) all = model_->scheduler().drain(deadline) && all;
  return all;
}

App::~App() {
  stop();
  http_.reset();
  grpc_.reset();
}

}  // namespace tachostat::app

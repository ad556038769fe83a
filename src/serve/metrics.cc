// What the scheduler counts is read when scraped; only what it does not keep, the distribution of
// latencies and who answered, is recorded per request.
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Seconds, from 100 µs to 10 s; each is 1 to 2.5 times the one before.
const prometheus::Histogram::BucketBoundaries kLatencyBuckets = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03,
    0.05,   0.075,   0.1,    0.15,  0.25,   0.5,   1,      2.5,  5,     10};

using ModelPtr = std::shared_ptr<const ServedModel>;

struct Sampled {
  ModelPtr model;
  schedule::Statistics statistics;
};

// One family that reads a number out of each model's statistics.
struct FromStatistics {
  const char* name;
  const char* help;
  MetricType type;
  double (*read)(const schedule::Statistics&);
};

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }
double number(std::uint64_t count) { return static_cast<double>(count); }

using schedule::Statistics;
constexpr FromStatistics kFromStatistics[] = {
    {"nv_inference_request_success", "Requests answered with a result.", MetricType::Counter,
     [](const Statistics& s) { return number(s.succeeded); }},
    {"nv_inference_count", "Inferences done; a request counts as one.", MetricType::Counter,
     [](const Statistics& s) { return number(s.succeeded); }},
    {"nv_inference_exec_count", "Executions of the model; one may answer several requests.",
     MetricType::Counter, [](const Statistics& s) { return number(s.executions); }},
    {"nv_inference_request_duration_us", "Time from arrival to result, summed over requests.",
     MetricType::Counter,
     [](const Statistics& s) { return microseconds(s.queue_ns + s.compute_ns); }},
    {"nv_inference_queue_duration_us", "Time waiting in the queue, summed over requests.",
     MetricType::Counter, [](const Statistics& s) { return microseconds(s.queue_ns); }},
    {"nv_inference_compute_infer_duration_us", "Time in the engine, summed over requests.",
     MetricType::Counter, [](const Statistics& s) { return microseconds(s.compute_ns); }},
    {"nv_inference_pending_request_count", "Requests waiting in the queue now.", MetricType::Gauge,
     [](const Statistics& s) { return static_cast<double>(s.queued); }},
    {"tachostat_requests_in_flight", "Requests in the engine now.", MetricType::Gauge,
     [](const Statistics& s) { return static_cast<double>(s.in_flight); }},
    {"tachostat_requests_accepted_total", "Requests that were let into the queue.",
     MetricType::Counter, [](const Statistics& s) { return number(s.accepted); }},
};

struct FailureReason {
  const char* reason;
  std::uint64_t Statistics::*count;
};
constexpr FailureReason kFailureReasons[] = {
    {"QUEUE_FULL", &Statistics::refused_full},
    {"DEADLINE", &Statistics::refused_deadline},
    {"BACKEND", &Statistics::failed},
};

ClientMetric metric_of(const ServedModel& model) {
  ClientMetric metric;
  metric.label = {{"model", model.name}, {"version", model.version}};
  return metric;
}

void set_value(ClientMetric& metric, MetricType type, double value) {
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

MetricFamily failures_of(const std::vector<Sampled>& models) {
  MetricFamily family{.name = "nv_inference_request_failure",
                      .help = "Requests answered with an error, by reason.",
                      .type = MetricType::Counter,
                      .metric = {}};
  for (const Sampled& sampled : models) {
    for (const FailureReason& reason : kFailureReasons) {
      ClientMetric metric = metric_of(*sampled.model);
      metric.label.push_back({"reason", reason.reason});
      metric.counter.value = number(sampled.statistics.*reason.count);
      family.metric.push_back(std::move(metric));
    }
  }
  return family;
}

void add_scheduler_families(const Repository& repository, std::vector<MetricFamily>& families) {
  std::vector<Sampled> models;
  for (ModelPtr& model : repository.list()) {
    Statistics statistics = model->scheduler->statistics();
    models.push_back({std::move(model), statistics});
  }
  if (models.empty()) return;
  for (const FromStatistics& from : kFromStatistics) {
    MetricFamily family{.name = from.name, .help = from.help, .type = from.type, .metric = {}};
    for (const Sampled& sampled : models) {
      ClientMetric metric = metric_of(*sampled.model);
      set_value(metric, from.type, from.read(sampled.statistics));
      family.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(family));
  }
  families.push_back(failures_of(models));
}

}  // namespace

struct Metrics::State {
  // Handles into the registry, so that a request costs two searches and no allocation.
  struct Handles {
    prometheus::Histogram* latency = nullptr;
    std::map<std::string, prometheus::Counter*, std::less<>> answers;  // by variant
  };
  struct Gauges {
    std::string name;
    std::string help;
    std::function<std::vector<Reading>()> read;
  };

  explicit State(const Repository& models)
      : repository(models),
        latency(prometheus::BuildHistogram()
                    .Name("tachostat_request_duration_seconds")
                    .Help("Time from arrival to result.")
                    .Register(registry)),
        answers(prometheus::BuildCounter()
                    .Name("tachostat_answers_total")
                    .Help("Requests answered with a result, by the variant that ran them.")
                    .Register(registry)) {}

  Handles& handles_of(std::string_view model) TS_REQUIRES(mutex) {
    const auto found = handles.find(model);
    if (found != handles.end()) return found->second;
    Handles& added = handles[std::string(model)];
    added.latency = &latency.Add({{"model", std::string(model)}}, kLatencyBuckets);
    return added;
  }

  prometheus::Counter& answers_of(Handles& of_model, std::string_view model,
                                  std::string_view variant) TS_REQUIRES(mutex) {
    const auto found = of_model.answers.find(variant);
    if (found != of_model.answers.end()) return *found->second;
    prometheus::Counter& counter =
        answers.Add({{"model", std::string(model)}, {"variant", std::string(variant)}});
    of_model.answers.emplace(variant, &counter);
    return counter;
  }

  const Repository& repository;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>& latency;
  prometheus::Family<prometheus::Counter>& answers;
  mutable base::Mutex mutex;
  std::map<std::string, Handles, std::less<>> handles TS_GUARDED_BY(mutex);
  std::vector<Gauges> gauges TS_GUARDED_BY(mutex);
};

Metrics::Metrics(const Repository& repository) : state_(std::make_unique<State>(repository)) {}
Metrics::~Metrics() = default;

void Metrics::answered(std::string_view model, const schedule::Answered& answered) {
  if (!answered.ok || model.empty()) return;
  prometheus::Histogram* latency = nullptr;
  prometheus::Counter* answers = nullptr;
  {
    base::MutexLock lock(state_->mutex);
    State::Handles& handles = state_->handles_of(model);
    latency = handles.latency;
    answers = &state_->answers_of(handles, model, answered.variant);
  }
  latency->Observe(base::to_seconds(answered.timing.done - answered.timing.arrival));
  answers->Increment();
}

void Metrics::add_gauge(std::string name, std::string help, std::string model,
                        std::function<double()> read) {
  add_gauges(std::move(name), std::move(help), [model = std::move(model), read = std::move(read)] {
    return std::vector<Reading>{{.labels = {{"model", model}}, .value = read()}};
  });
}

void Metrics::add_gauges(std::string name, std::string help,
                         std::function<std::vector<Reading>()> read) {
  base::MutexLock lock(state_->mutex);
  state_->gauges.push_back({std::move(name), std::move(help), std::move(read)});
}

std::string Metrics::text() const {
  std::vector<MetricFamily> families;
  add_scheduler_families(state_->repository, families);
  for (MetricFamily& family : state_->registry.Collect()) {
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  std::vector<State::Gauges> gauges;
  {
    base::MutexLock lock(state_->mutex);
    gauges = state_->gauges;  // read outside: a gauge may take locks of its own
  }
  std::map<std::string, MetricFamily> by_name;  // one family, however many models have the gauge
  for (const State::Gauges& gauge : gauges) {
    MetricFamily& family = by_name[gauge.name];
    family.name = gauge.name;
    family.help = gauge.help;
    family.type = MetricType::Gauge;
    for (Reading& reading : gauge.read()) {
      ClientMetric metric;
      for (auto& [label, value] : reading.labels) {
        metric.label.push_back({std::move(label), std::move(value)});
      }
      metric.gauge.value = reading.value;
      family.metric.push_back(std::move(metric));
    }
  }
  for (auto& [name, family] : by_name) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tachostat::serve

#include "app/model_server.h"

#include "base/log.h"
#include "base/status.h"
#include "base/thread.h"

namespace tachostat::app {
namespace {

probe::SamplerOptions sampler_options(const ModelOptions& options) {
  return {.budget = options.probe_budget,
          .depth = options.probe == ProbeMode::kOff ? probe::Depth::kOff : probe::Depth::kKernels};
}

constexpr base::Duration kCopyInterval = std::chrono::milliseconds(100);
constexpr base::Duration kStep = std::chrono::milliseconds(50);

}  // namespace

ModelServer::ModelServer(base::Clock& clock, probe::SpanSource& spans, model::Graph graph,
                         ModelOptions options)
    : clock_(clock),
      options_(std::move(options)),
      graph_(std::move(graph)),
      sampler_(spans, sampler_options(options_)),
      capture_(clock, sampler_, sampler_options(options_).depth,
               options_.probe == ProbeMode::kAlways),
      inputs_(clock, kCopyInterval) {
  if (options_.probe == ProbeMode::kAlways) sampler_.set_always(true);
}

absl::StatusOr<std::unique_ptr<ModelServer>> ModelServer::Create(
    base::Clock& clock, engine::Engine& engine, probe::SpanSource& spans, store::Store* store,
    model::Graph graph, ModelOptions options) {
  if (options.name.empty()) options.name = graph.name;
  std::unique_ptr<ModelServer> server(
      new ModelServer(clock, spans, std::move(graph), std::move(options)));
  ModelServer* self = server.get();
  self->scheduler_ = schedule::Scheduler::Create(
      clock, {.graph = self->graph_,
              .on_answered =
                  [self](const schedule::Answered& answered) {
                    self->traffic_.answered(answered);
                    self->readings_.answered(answered);
                    if (self->options_.on_answered) self->options_.on_answered(answered);
                  },
              .on_inputs = [self](const auto& inputs) { self->inputs_.seen(inputs); }});
  self->scheduler_place_ = self->scheduler_.get();
  self->evidence_ = std::make_unique<Evidence>(self->sampler_, self->graph_, &self->capture_,
                                               self->options_.machine);
  self->plant_ =
      std::make_unique<LivePlant>(clock, self->graph_, engine, self->observer_, *self->scheduler_,
                                  *self->evidence_, self->traffic_, self->inputs_, self->readings_);
  self->decisions_ = std::make_unique<govern::DecisionLog>(clock, store, self->options_.name);
  govern::GovernorOptions governor;
  governor.targets = self->options_.targets;
  governor.learn = self->options_.learn;
  governor.shed = self->options_.shed;
  governor.start = self->options_.start;
  governor.verified = self->options_.verified;
  governor.unproved = self->options_.unproved;
  governor.roofline = self->options_.roofline;
  TS_ASSIGN_OR_RETURN(auto policy, govern::make_policy(self->options_.policy, governor.seed));
  self->governor_ = std::make_unique<govern::Governor>(
      clock, *self->plant_, std::move(policy), *self->decisions_, store, std::move(governor));
  TS_RETURN_IF_ERROR(self->governor_->start());
  return server;
}

ModelServer::~ModelServer() {
  stop_evidence();
  // Answers what was accepted while everything that its callbacks use is still there. The plant's
  // sessions go after it.
  if (scheduler_) scheduler_->drain(clock_.now() + std::chrono::seconds(30));
}

void ModelServer::start_evidence() {
  if (evidence_thread_.joinable()) return;
  evidence_thread_ =
      base::start_thread("evidence", [this](const std::stop_token& stop) { run_evidence(stop); });
}

void ModelServer::stop_evidence() {
  evidence_thread_.request_stop();
  capture_.stop();
  if (evidence_thread_.joinable()) evidence_thread_.join();
}

void ModelServer::run_evidence(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    evidence_->pump();
    if (options_.sensors) readings_.look(*options_.sensors());
    governor_->step();
    base::sleep_until(stop, clock_.now() + kStep);
  }
}

}  // namespace tachostat::app

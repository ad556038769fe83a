#include "simulate/node.h"

#include <algorithm>

#include "base/status.h"

namespace tachostat::simulate {
namespace {

govern::GovernorOptions governor_options(const SimulatedModel& model, std::uint64_t seed) {
  govern::GovernorOptions options;
  options.targets = model.targets;
  options.learn = model.learn;
  options.start = variant_of(*model.find(model.start));
  options.step = model.step;
  options.window = model.window;
  options.queue_limit = model.queue_limit;
  options.shed = model.shed;
  options.least_hang = model.least_hang;
  options.seed = seed;
  options.max_loaded = std::max<std::size_t>(4, model.variants.size() + 1);
  for (const SimulatedVariant& variant : model.variants) {
    const double service_s = base::to_seconds(median_service(variant.service, variant.batch));
    const double single_s = base::to_seconds(median_service(variant.service, 1));
    if (variant.verified) {
      options.verified.push_back({.variant = variant_of(variant),
                                  .service_ms = service_s * 1e3,
                                  .single_ms = single_s * 1e3,
                                  .capacity = variant.streams * variant.batch / service_s,
                                  .p99_ms = service_s * 1e3,
                                  .drop_bound = variant.drop_bound,
                                  .memory_bytes = variant.memory_bytes});
    } else {
      options.unproved.push_back({.variant = variant_of(variant),
                                  .proposer = "scenario",
                                  .reason = "the scenario proposes it"});
    }
  }
  options.find_bottlenecks = [](const profile::Profile&, const profile::Roofline&) {
    return std::vector<diagnose::Finding>();
  };
  options.find_candidates = [](const std::vector<diagnose::Finding>&, const optimize::Context&) {
    return optimize::Proposals();
  };
  return options;
}

}  // namespace

Node::Node(const Scenario& scenario, int index, base::ManualClock& clock, OnDecision on_decision)
    : scenario_(scenario),
      index_(index),
      clock_(clock),
      begin_(clock.now()),
      on_decision_(std::move(on_decision)),
      trouble_(has_trouble(scenario)),
      random_(scenario.seed, "node " + std::to_string(index)),
      machine_(clock, scenario.cores) {
  for (std::size_t i = 0; i < scenario.models.size(); ++i) served_.push_back(make(i));
  changed();
}

std::unique_ptr<Node::Served> Node::make(std::size_t index) {
  const SimulatedModel& model = scenario_.models[index];
  auto served = std::make_unique<Served>();
  served->plant = std::make_unique<SimulatedPlant>(
      clock_, model, machine_, random_, [this](std::string_view variant) {
        return trouble_ ? trouble_of(scenario_, index_, variant, elapsed()) : Trouble();
      });
  SimulatedPlant* plant = served->plant.get();
  served->scheduler = schedule::Scheduler::Create(
      clock_,
      {.graph = simulated_graph(),
       .on_answered = [plant](const schedule::Answered& answered) { plant->answered(answered); },
       .own_timer_thread = false});
  plant->set_scheduler(served->scheduler.get());
  served->log = std::make_unique<govern::DecisionLog>(clock_, nullptr, model.name);
  served->log->set_listener(
      [this, index](const govern::Decision& decision) { on_decision_(index, decision); });
  const std::uint64_t seed = scenario_.seed * 1000003 + static_cast<std::uint64_t>(index_);
  auto policy = govern::make_policy(model.policy, seed).value();  // check() has seen the name
  served->governor = std::make_unique<govern::Governor>(
      clock_, *plant, std::move(policy), *served->log, nullptr, governor_options(model, seed));
  // Governors of many nodes do not step at the same moment.
  served->next_step =
      clock_.now() + base::from_seconds(base::to_seconds(model.step) * random_.uniform());
  return served;
}

// A scheduler's destructor waits for its engine, and here nobody else moves the time.
Node::~Node() {
  for (const auto& served : served_) {
    served->scheduler->drain(clock_.now());
    served->plant->give_up();
  }
  machine_.finish_all();
}

absl::Status Node::start() {
  for (std::size_t i = 0; i < served_.size(); ++i) {
    const absl::Status status = served_[i]->governor->start();
    if (!status.ok()) {
      return base::with_context(status, fmt::format("model '{}'", scenario_.models[i].name));
    }
  }
  return absl::OkStatus();
}

void Node::submit(std::size_t model, base::Time deadline, schedule::ResponseCallback done) {
  Served& served = *served_[model];
  served.scheduler->submit(
      {.inputs = simulated_inputs(), .deadline = deadline, .done = std::move(done)});
  served.wake = served.scheduler->poll();
}

void Node::changed() {
  const Condition condition = condition_of(scenario_, index_, elapsed());
  down_ = condition.down;
  machine_.set_cores(condition.down ? 0 : condition.cores);
  machine_.set_slowness(condition.slowness);
  for (const auto& served : served_) served->plant->revive();
}

base::Time Node::next() const {
  base::Time next = machine_.next_finish();
  for (const auto& served : served_) {
    next = std::min({next, served->wake, served->plant->next(),
                     std::max(served->next_step, served->plant->busy_until())});
  }
  return next;
}

void Node::advance() {
  const base::Time now = clock_.now();
  bool moved = machine_.finish_due();
  for (std::size_t i = 0; i < served_.size(); ++i) {
    Served& served = *served_[i];
    if (served.plant->next() <= now) {
      served.plant->advance();
      moved = true;
    }
    if (std::max(served.next_step, served.plant->busy_until()) <= now) {
      served.governor->step();
      served.next_step = now + scenario_.models[i].step;
      moved = true;
    }
    moved = moved || served.wake <= now;
  }
  if (moved) poll();
}

void Node::poll() {
  for (const auto& served : served_) served->wake = served->scheduler->poll();
}

std::size_t Node::load(std::size_t model) const {
  const schedule::Statistics now = served_[model]->scheduler->statistics();
  return static_cast<std::size_t>(now.queued + now.in_flight);
}

}  // namespace tachostat::simulate

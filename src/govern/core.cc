#include "govern/core.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "govern/predict.h"

namespace tachostat::govern {
namespace {

constexpr std::size_t kKeptTrials = 200;
constexpr int kHangs = 20;  // times the slowest variant's service, or the p99 target

}  // namespace

bool answers_every_shape(const model::Graph& graph, const model::Variant& variant) {
  if (variant.shapes.empty()) return true;
  return std::all_of(graph.inputs.begin(), graph.inputs.end(),
                     [](const model::Port& input) { return model::is_static(input.shape); });
}

nlohmann::json numbers_of(const Observation& observation) {
  return {{"seconds", observation.seconds()},
          {"arrivals_per_second", observation.arrival_rate()},
          {"answered", observation.answered},
          {"failed", observation.failed},
          {"refused", observation.refused},
          {"mean_ms", observation.latency.mean() / 1e6},
          {"p99_ms", static_cast<double>(observation.latency.quantile(0.99)) / 1e6},
          {"service_ms", static_cast<double>(observation.service.quantile(0.5)) / 1e6},
          {"mean_in_flight", observation.mean_in_flight}};
}

Core::Core(base::Clock& the_clock, Plant& the_plant, DecisionLog& log, store::Store* store,
           GovernorOptions the_options)
    : clock(the_clock),
      plant(the_plant),
      options(std::move(the_options)),
      targets(options.targets),
      loaded(plant, std::max<std::size_t>(2, options.max_loaded)),
      windows(options.window),
      log_(log),
      store_(store) {}

absl::Status Core::start() {
  const model::Variant& variant = options.start;
  start_ = variant.id();
  if (const absl::Status status = loaded.load(variant, {}); !status.ok()) {
    return base::with_context(status, fmt::format("start variant '{}'", start_));
  }
  if (!answers_every_shape(plant.graph(), variant)) TS_RETURN_IF_ERROR(load_any_shape_companion());
  const Choice choice = choice_of(variant, 0);
  TS_RETURN_IF_ERROR(publish(choice));
  serving_ = start_;
  serving_since_ = clock.now();
  for (const verify::Point& point : options.verified) set_point(point);
  verify::Point point =
      points_.contains(start_) ? points_[start_] : verify::Point{.variant = variant};
  point.memory_bytes = plant.memory_bytes(start_);
  set_point(std::move(point));
  board.change([&](GovernorState& state) {
    state.variant = start_;
    state.targets = targets;
    state.phase = options.learn == Learn::kOff ? "holding" : "observing";
  });
  const engine::Applied& applied = *loaded.applied(start_);
  decide(
      "start", "", start_,
      fmt::format("the start variant serves: {} threads, {} streams, precision {}", applied.threads,
                  applied.streams, applied.precision.empty() ? "unknown" : applied.precision),
      {{"threads", applied.threads},
       {"streams", applied.streams},
       {"precision", applied.precision},
       {"memory_bytes", plant.memory_bytes(start_)}});
  return absl::OkStatus();
}

absl::Status Core::load_any_shape_companion() {
  model::Variant companion = options.start;
  companion.shapes.clear();
  if (const absl::Status status = loaded.load(companion, {start_}); !status.ok()) {
    return base::with_context(
        status, fmt::format("variant '{}' for the shapes that '{}' does not answer", companion.id(),
                            start_));
  }
  loaded.set_companion(options.start, companion.id());
  return absl::OkStatus();
}

void Core::set_point(verify::Point point) {
  const std::string id = point.variant.id();
  points_[id] = std::move(point);
  publish_frontier();
}

void Core::remove_point(const std::string& variant) {
  points_.erase(variant);
  publish_frontier();
}

verify::Point Core::measured(verify::Point point, const Observation& seen) const {
  point.service_ms = static_cast<double>(seen.service.quantile(0.5)) / 1e6;
  point.p99_ms = static_cast<double>(seen.latency.quantile(0.99)) / 1e6;
  const double slots = loaded.streams(point.variant.id()) * std::max(1, point.variant.batch);
  point.capacity = point.service_ms > 0 ? slots * 1e3 / point.service_ms : 0;
  return point;
}

verify::Frontier Core::choices() const {
  verify::Frontier frontier;
  frontier.set_fallback(serving_);
  for (const auto& [id, point] : points_) {
    if (point.drop_bound <= targets.max_drop && !barred(id)) frontier.add(point);
  }
  return frontier;
}

// For people: the start variant is the fallback, and what serves is on it even when a noisy
// measurement says that something else is better on every axis.
void Core::publish_frontier() {
  auto build = [&](const std::string& fallback) {
    verify::Frontier frontier;
    frontier.set_fallback(fallback);
    for (const auto& [id, point] : points_) frontier.add(point);
    return frontier;
  };
  verify::Frontier frontier = build(start_);
  if (!serving_.empty() && frontier.find(serving_) == nullptr) frontier = build(serving_);
  board.change([&](GovernorState& state) { state.frontier = std::move(frontier); });
}

std::vector<std::string> Core::needed(const std::string& also) const {
  std::vector<std::string> keep = loaded.chain(serving_);
  for (const std::string& other : {start_, also}) {
    const std::vector<std::string> more = loaded.chain(other);
    keep.insert(keep.end(), more.begin(), more.end());
  }
  return keep;
}

absl::Status Core::ensure_loaded(const std::string& variant) {
  for (const std::string& id : loaded.chain(variant)) {
    if (loaded.contains(id)) continue;
    const auto point = points_.find(id);
    if (point == points_.end()) {
      return base::failed_precondition("variant '{}' is not verified and not loaded", id);
    }
    windows.disturb();
    TS_RETURN_IF_ERROR(loaded.load(point->second.variant, needed(variant)));
  }
  return absl::OkStatus();
}

Choice Core::choice_of(const model::Variant& variant, double service_ms) const {
  Choice choice = govern::choice_of(variant, service_ms, targets);
  choice.change = true;
  return choice;
}

absl::Status Core::publish(const Choice& choice) {
  model::Plan plan = loaded.plan_for(choice, options.queue_limit);
  if (options.shed && targets.p99) plan.patience = *targets.p99;
  plan.hang_after = hang_after();
  return plant.publish(std::move(plan));
}

absl::Status Core::publish_targets() {
  const auto point = points_.find(serving_);
  if (!options.shed || point == points_.end()) return absl::OkStatus();
  return publish(choice_of(point->second.variant, point->second.service_ms));
}

void Core::bar(const std::string& variant, base::Duration time) {
  const base::Time now = clock.now();
  barred_[variant] = time < base::Time::max() - now ? now + time : base::Time::max();
}

bool Core::barred(const std::string& variant) const {
  const auto found = barred_.find(variant);
  return found != barred_.end() && found->second > clock.now();
}

// Far over anything that a slow machine explains.
base::Duration Core::hang_after() const {
  double slowest_ms = 0;
  for (const auto& [id, point] : points_) slowest_ms = std::max(slowest_ms, point.service_ms);
  const base::Duration slow = base::from_seconds(slowest_ms * kHangs / 1e3);
  const base::Duration longest = std::chrono::hours(1);  // so that nothing overflows
  const base::Duration target =
      targets.p99 ? std::min(*targets.p99, longest) * kHangs : base::Duration(0);
  return std::max({options.least_hang, slow, target});
}

absl::Status Core::switch_to(const Choice& choice, const nlohmann::json& evidence,
                             const std::string& kind) {
  TS_RETURN_IF_ERROR(ensure_loaded(choice.variant));
  TS_RETURN_IF_ERROR(publish(choice));
  const std::string before = std::exchange(serving_, choice.variant);
  serving_since_ = clock.now();
  publish_frontier();
  board.change([&](GovernorState& state) { state.variant = serving_; });
  decide(kind, before, serving_, choice.reason, evidence);
  return absl::OkStatus();
}

void Core::decide(std::string kind, std::string from, std::string to, std::string reason,
                  const nlohmann::json& evidence) {
  log_.add(
      {.kind = std::move(kind),
       .from = std::move(from),
       .to = std::move(to),
       .reason = std::move(reason),
       .evidence_json = evidence.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
}

std::int64_t Core::unix_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.unix_time()).count();
}

void Core::record(verify::Trial trial) {
  trial.unix_ms = unix_ms();
  if (store_ != nullptr) {
    const absl::Status status =
        store_->append("trial", log_.model(), trial.unix_ms, verify::to_json(trial));
    if (!status.ok() && !store_failed_) {
      spdlog::warn("trials of '{}' are kept in memory only: {}", log_.model(), status.ToString());
    }
    store_failed_ = store_failed_ || !status.ok();
  }
  board.change([&](GovernorState& state) {
    state.trials.push_back(std::move(trial));
    if (state.trials.size() > kKeptTrials) state.trials.erase(state.trials.begin());
  });
}

}  // namespace tachostat::govern

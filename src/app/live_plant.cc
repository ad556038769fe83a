#include "app/live_plant.h"

#include <future>

#include "base/status.h"

namespace tachostat::app {
namespace {

using Outputs = absl::StatusOr<std::vector<engine::Tensor>>;

Outputs infer_and_wait(engine::Session& session, std::vector<engine::Tensor> inputs) {
  auto promise = std::make_shared<std::promise<Outputs>>();
  std::future<Outputs> answer = promise->get_future();
  session.infer(std::move(inputs),
                [promise](Outputs outputs) { promise->set_value(std::move(outputs)); });
  return answer.get();
}

}  // namespace

LivePlant::LivePlant(const base::Clock& clock, const model::Graph& graph, engine::Engine& engine,
                     engine::Observer& observer, schedule::Scheduler& scheduler, Evidence& evidence,
                     TrafficWindow& traffic, RecentInputs& inputs, LiveReadings& readings)
    : clock_(clock),
      graph_(graph),
      engine_(engine),
      observer_(observer),
      scheduler_(scheduler),
      evidence_(evidence),
      traffic_(traffic),
      inputs_(inputs),
      readings_(readings) {}

absl::StatusOr<engine::Applied> LivePlant::load(const model::Variant& variant) {
  const std::string id = variant.id();
  if (const auto known = sessions_.find(id); known != sessions_.end()) {
    return known->second->applied();
  }
  TS_ASSIGN_OR_RETURN(std::shared_ptr<engine::Session> session,
                      engine_.load(graph_, variant, &observer_));
  TS_RETURN_IF_ERROR(scheduler_.add_session(session));
  evidence_.add_session(*session);
  readings_.add_session(*session);
  const engine::Applied applied = session->applied();
  sessions_[id] = std::move(session);
  return applied;
}

absl::Status LivePlant::unload(const std::string& variant) {
  const auto known = sessions_.find(variant);
  if (known == sessions_.end()) return base::not_found("variant '{}' is not loaded", variant);
  TS_RETURN_IF_ERROR(scheduler_.remove_session(variant));
  evidence_.forget(known->second->number());
  readings_.forget(*known->second);
  sessions_.erase(known);
  return absl::OkStatus();
}

std::uint64_t LivePlant::memory_bytes(const std::string& variant) const {
  const auto known = sessions_.find(variant);
  return known == sessions_.end() ? 0 : known->second->memory_bytes();
}

absl::Status LivePlant::publish(model::Plan plan) {
  return scheduler_.publish(std::make_shared<const model::Plan>(std::move(plan)));
}

std::optional<profile::Profile> LivePlant::profile(const std::string& variant) {
  const auto known = sessions_.find(variant);
  if (known == sessions_.end()) return std::nullopt;
  const auto shapes = inputs_.shapes();
  std::optional<profile::Profile> profile = evidence_.profile_of(
      known->second->number(), shapes.empty() ? model::InputShapes() : shapes.front().first);
  if (!profile) return std::nullopt;
  if (const std::uint64_t bytes = known->second->memory_bytes(); bytes > 0) {
    profile->readings["memory/held"] = reading_of(static_cast<double>(bytes), "By");
  }
  readings_.fill(*profile);
  return profile;
}

absl::StatusOr<base::Duration> LivePlant::time_one(engine::Session& session,
                                                   std::vector<engine::Tensor> inputs,
                                                   std::vector<engine::Tensor>& outputs) const {
  const base::Time begin = clock_.now();
  TS_ASSIGN_OR_RETURN(outputs, infer_and_wait(session, std::move(inputs)));
  return clock_.now() - begin;
}

absl::StatusOr<govern::Mirrored> LivePlant::mirror(const std::string& reference,
                                                   const std::string& candidate, int samples) {
  const auto base = sessions_.find(reference);
  const auto other = sessions_.find(candidate);
  if (base == sessions_.end() || other == sessions_.end()) {
    return base::failed_precondition("cannot compare '{}' with '{}': not both are loaded",
                                     reference, candidate);
  }
  govern::Mirrored mirrored;
  std::vector<engine::Tensor> expected, found;
  bool candidate_first = false;
  for (auto& inputs : inputs_.recent(other->second->variant().shapes)) {
    if (samples-- <= 0) break;
    base::Duration base_time, candidate_time;
    // Alternating, so that neither always finds the caches warm from the other.
    if (candidate_first) {
      TS_ASSIGN_OR_RETURN(candidate_time, time_one(*other->second, inputs, found));
    }
    TS_ASSIGN_OR_RETURN(base_time, time_one(*base->second, inputs, expected));
    if (!candidate_first) {
      TS_ASSIGN_OR_RETURN(candidate_time, time_one(*other->second, std::move(inputs), found));
    }
    candidate_first = !candidate_first;
    TS_RETURN_IF_ERROR(verify::compare(expected, found, mirrored.agreement));
    mirrored.times.emplace_back(base_time, candidate_time);
  }
  return mirrored;
}

}  // namespace tachostat::app

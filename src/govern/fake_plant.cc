#include "govern/fake_plant.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/status.h"

namespace tachostat::govern {

double FakePlant::uniform() { return base::uniform(random_); }

base::Duration FakePlant::service_time(const FakeBehaviour& how) {
  return base::from_seconds(how.service_ms / 1e3 * std::exp(how.noise * base::normal(random_)));
}

void FakePlant::set_traffic(FakeTraffic traffic) {
  traffic_ = std::move(traffic);
  ++epoch_;
  arrivals_.clear();
  shape_counts_.assign(traffic_.shapes.size(), 0);
  const base::Time now = clock_.now();
  for (int client = 0; client < traffic_.clients; ++client) {
    schedule_arrival(now + std::chrono::microseconds(client), client);
  }
  if (traffic_.rate > 0) {
    schedule_arrival(now + base::from_seconds(-std::log(uniform()) / traffic_.rate), -1);
  }
}

void FakePlant::schedule_arrival(base::Time at, int client) {
  Request request{.arrival = at, .client = client, .epoch = epoch_};
  double left = uniform();
  for (std::size_t i = 0; i < traffic_.shapes.size(); ++i) {
    request.shape = static_cast<int>(i);
    left -= traffic_.shapes[i].second;
    if (left <= 0) break;
  }
  arrivals_.emplace(at, request);
}

void FakePlant::run(base::Duration duration) {
  const base::Time until = clock_.now() + duration;
  while (true) {
    const base::Time arrival = arrivals_.empty() ? base::Time::max() : arrivals_.begin()->first;
    const base::Time done = completions_.empty() ? base::Time::max() : completions_.begin()->first;
    const base::Time next = std::min(arrival, done);
    if (next > until) break;
    clock_.set(std::max(next, clock_.now()));
    if (done <= arrival) {
      const Inference inference = completions_.begin()->second;
      completions_.erase(completions_.begin());
      finish(inference, done);
    } else {
      const Request request = arrivals_.begin()->second;
      arrivals_.erase(arrivals_.begin());
      arrive(request);
    }
    dispatch();
  }
  clock_.set(until);
}

void FakePlant::arrive(Request request) {
  ++window_.arrivals;
  if (request.shape >= 0) ++shape_counts_[static_cast<std::size_t>(request.shape)];
  if (request.client < 0) {
    schedule_arrival(request.arrival + base::from_seconds(-std::log(uniform()) / traffic_.rate),
                     -1);
  }
  if (static_cast<int>(queue_.size()) >= plan_.queue_limit) {
    ++window_.refused;
    return;
  }
  queue_.push_back(request);
}

const std::string* FakePlant::route(const Request& request) const {
  for (const model::Plan::Share& share : plan_.shares) {
    if (share.shapes.empty()) return &share.variant;
    const bool known = request.shape >= 0 && request.epoch == epoch_;
    if (known && traffic_.shapes[static_cast<std::size_t>(request.shape)].first == share.shapes) {
      return &share.variant;
    }
  }
  return nullptr;
}

void FakePlant::dispatch() {
  if (plan_.shares.empty()) return;  // nothing is published yet
  while (!queue_.empty() && in_flight_ < plan_.concurrency) {
    const std::string* variant = route(queue_.front());
    if (variant == nullptr) {
      ++unroutable_;
      ++window_.failed;
      queue_.pop_front();
      continue;
    }
    Loaded& loaded = loaded_.at(*variant);
    Inference inference{.requests = {}, .variant = *variant, .dispatched = clock_.now()};
    const int most = std::max(1, std::min(plan_.max_batch, loaded.variant.batch));
    while (!queue_.empty() && static_cast<int>(inference.requests.size()) < most) {
      inference.requests.push_back(queue_.front());
      queue_.pop_front();
    }
    const auto stream = std::min_element(loaded.free.begin(), loaded.free.end());
    *stream = std::max(*stream, clock_.now()) + service_time(loaded.behaviour);
    completions_.emplace(*stream, std::move(inference));
    ++in_flight_;
  }
}

void FakePlant::finish(const Inference& inference, base::Time done) {
  --in_flight_;
  Loaded& loaded = loaded_.at(inference.variant);
  for (const Request& request : inference.requests) {
    if (request.client >= 0 && request.epoch == epoch_) schedule_arrival(done, request.client);
    if (uniform() < loaded.behaviour.failure_rate) {
      ++window_.failed;
      continue;
    }
    ++window_.answered;
    ++answered_;
    ++loaded.answered;
    ++answered_by_[inference.variant];
    window_.latency.record(static_cast<std::uint64_t>((done - request.arrival).count()));
    window_.service.record(static_cast<std::uint64_t>((done - inference.dispatched).count()));
    latency_seconds_ += base::to_seconds(done - request.arrival);
  }
}

std::set<std::string> FakePlant::loaded() const {
  std::set<std::string> ids;
  for (const auto& [id, loaded] : loaded_) ids.insert(id);
  return ids;
}

absl::StatusOr<engine::Applied> FakePlant::load(const model::Variant& variant) {
  const FakeBehaviour behaves = behaviour(variant);
  loads_.push_back(variant.id());
  run(load_time);
  TS_RETURN_IF_ERROR(behaves.load_error);
  if (!loaded_.contains(variant.id())) {
    const auto streams = static_cast<std::size_t>(std::max(1, behaves.streams));
    loaded_[variant.id()] = {.variant = variant,
                             .behaviour = behaves,
                             .free = std::vector<base::Time>(streams, clock_.now())};
  }
  most_loaded_ = std::max(most_loaded_, loaded_.size());
  engine::Applied applied;
  applied.precision = behaves.precision;
  applied.threads = behaves.threads;
  applied.streams = behaves.streams;
  return applied;
}

absl::Status FakePlant::unload(const std::string& variant) {
  for (const model::Plan::Share& share : plan_.shares) {
    if (share.variant == variant) {
      return base::failed_precondition("variant '{}' is in the current plan", variant);
    }
  }
  if (!loaded_.contains(variant)) return base::not_found("variant '{}' is not loaded", variant);
  // As the scheduler does: returns when its requests are answered.
  auto busy = [&] {
    return std::any_of(completions_.begin(), completions_.end(),
                       [&](const auto& entry) { return entry.second.variant == variant; });
  };
  while (busy()) run(std::chrono::milliseconds(1));
  loaded_.erase(variant);
  return absl::OkStatus();
}

std::uint64_t FakePlant::memory_bytes(const std::string& variant) const {
  const auto found = loaded_.find(variant);
  return found == loaded_.end() ? 0 : found->second.behaviour.memory;
}

absl::Status FakePlant::publish(model::Plan plan) {
  TS_RETURN_IF_ERROR(publish_error);
  for (const model::Plan::Share& share : plan.shares) {
    if (!loaded_.contains(share.variant)) {
      return base::invalid_argument("share names '{}', which is not loaded", share.variant);
    }
  }
  plans_.push_back(plan);
  plan_ = std::move(plan);
  dispatch();
  return absl::OkStatus();
}

Observation FakePlant::observe() {
  Observation done = std::exchange(window_, Observation());
  done.end = clock_.now();
  if (done.begin == base::Time()) done.begin = done.end;  // the first
  if (done.seconds() > 0) done.mean_in_flight = latency_seconds_ / done.seconds();
  const auto most =
      std::max_element(answered_by_.begin(), answered_by_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != answered_by_.end()) done.variant = most->first;
  answered_by_.clear();
  latency_seconds_ = 0;
  window_.begin = done.end;
  return done;
}

std::optional<profile::Profile> FakePlant::profile(const std::string& variant) {
  const auto found = loaded_.find(variant);
  if (!has_profiles || found == loaded_.end()) return std::nullopt;
  const Loaded& loaded = found->second;
  if (loaded.answered < kProfileAfter) return std::nullopt;
  const auto service = static_cast<std::uint64_t>(loaded.behaviour.service_ms * 1e6);
  profile::Profile profile;
  profile.model = graph_value.name;
  profile.variant = variant;
  profile.streams = loaded.behaviour.streams;
  profile.threads = std::max(1, loaded.behaviour.threads / std::max(1, loaded.behaviour.streams));
  profile.request_time.record(service, kProfileAfter);
  profile::LayerProfile layer;
  layer.name = "convolution";
  layer.type = "Convolution";
  layer.precision = loaded.behaviour.precision;
  layer.time.record(service * 9 / 10, kProfileAfter);
  layer.share = 0.9;
  layer.thread_efficiency = profile.threads > 1 ? 0.5 : 1;  // half of the workers idle
  profile.layers.push_back(std::move(layer));
  return profile;
}

std::vector<std::pair<model::InputShapes, double>> FakePlant::observed_shapes() const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : shape_counts_) total += count;
  std::vector<std::pair<model::InputShapes, double>> shapes;
  for (std::size_t i = 0; i < shape_counts_.size() && total > 0; ++i) {
    shapes.emplace_back(traffic_.shapes[i].first,
                        static_cast<double>(shape_counts_[i]) / static_cast<double>(total));
  }
  return shapes;
}

absl::StatusOr<Mirrored> FakePlant::mirror(const std::string& reference,
                                           const std::string& candidate, int samples) {
  if (!loaded_.contains(reference) || !loaded_.contains(candidate)) {
    return base::failed_precondition("cannot compare '{}' with '{}': not both are loaded",
                                     reference, candidate);
  }
  ++mirrors_;
  const FakeBehaviour base = loaded_.at(reference).behaviour;
  const FakeBehaviour other = loaded_.at(candidate).behaviour;
  Mirrored mirrored;
  const int copies = static_cast<int>(std::min<std::uint64_t>(kCopies, answered_));
  base::Duration taken{0};
  std::uint64_t same = 0;
  for (int i = 0; i < std::min(samples, copies); ++i) {
    mirrored.times.emplace_back(service_time(base), service_time(other));
    taken += mirrored.times.back().first + mirrored.times.back().second;
    ++mirrored.agreement.samples;
    for (int label = 0; label < labels_per_request; ++label) {
      same += uniform() < other.label_error ? 0 : 1;
      ++mirrored.agreement.labels;
    }
  }
  verify::Agreement& agreement = mirrored.agreement;
  if (agreement.labels > 0) {
    agreement.label_agreement = static_cast<double>(same) / static_cast<double>(agreement.labels);
  }
  agreement.largest_difference = other.difference;
  agreement.bit_exact = other.difference == 0;
  agreement.finite = other.finite;
  run(taken);
  return mirrored;
}

}  // namespace tachostat::govern

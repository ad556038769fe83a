#include "app/traffic.h"

#include <algorithm>
#include <cstring>

namespace tachostat::app {
namespace {

// Shapes as a request has them, compared without building a map: this runs for every request.
bool same_shapes(const model::InputShapes& shapes, const std::vector<engine::Tensor>& inputs) {
  if (shapes.size() != inputs.size()) return false;
  return std::all_of(inputs.begin(), inputs.end(), [&](const engine::Tensor& input) {
    const auto found = shapes.find(input.name);
    return found != shapes.end() && found->second == input.shape;
  });
}

engine::Tensor copy_of(const engine::Tensor& tensor) {
  auto bytes = std::make_shared<std::vector<std::byte>>(tensor.data.begin(), tensor.data.end());
  engine::Tensor copy = tensor;
  copy.data = *bytes;
  copy.owner = std::move(bytes);
  return copy;
}

}  // namespace

model::InputShapes shapes_of(const std::vector<engine::Tensor>& inputs) {
  model::InputShapes shapes;
  for (const engine::Tensor& input : inputs) shapes[input.name] = input.shape;
  return shapes;
}

TrafficWindow::TrafficWindow(base::Clock& clock, const schedule::Scheduler* const& scheduler)
    : clock_(clock), scheduler_(scheduler) {
  window_.begin = clock.now();
}

void TrafficWindow::answered(const schedule::Answered& answered) {
  const base::Duration latency = answered.timing.done - answered.timing.arrival;
  base::MutexLock lock(mutex_);
  if (!answered.ok) {
    ++window_.failed;
    return;
  }
  ++window_.answered;
  window_.latency.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, latency.count())));
  const base::Duration service = answered.timing.done - answered.timing.dispatched;
  window_.service.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, service.count())));
  latency_seconds_ += base::to_seconds(latency);
  auto variant = std::find_if(variants_.begin(), variants_.end(),
                              [&](const auto& entry) { return entry.first == answered.variant; });
  if (variant == variants_.end()) {
    variants_.emplace_back(std::string(answered.variant), 1);
  } else {
    ++variant->second;
  }
}

govern::Observation TrafficWindow::take() {
  const schedule::Statistics now = scheduler_->statistics();
  base::MutexLock lock(mutex_);
  govern::Observation done = std::move(window_);
  done.end = clock_.now();
  done.arrivals = (now.accepted - before_.accepted) + (now.refused_full - before_.refused_full) +
                  (now.refused_deadline - before_.refused_deadline);
  done.refused = (now.refused_full - before_.refused_full) +
                 (now.refused_deadline - before_.refused_deadline) +
                 (now.expired - before_.expired);
  if (done.end > done.begin) done.mean_in_flight = latency_seconds_ / done.seconds();
  const auto most =
      std::max_element(variants_.begin(), variants_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != variants_.end()) done.variant = most->first;
  before_ = now;
  window_ = govern::Observation();
  window_.begin = done.end;
  latency_seconds_ = 0;
  variants_.clear();
  return done;
}

bool RecentInputs::due() {
  const base::Time now = clock_.now();
  if (!kept_.empty() && now - last_ < interval_) return false;
  last_ = now;
  return true;
}

void RecentInputs::seen(const std::vector<engine::Tensor>& inputs) {
  std::size_t bytes = 0;
  for (const engine::Tensor& input : inputs) bytes += input.data.size();
  base::MutexLock lock(mutex_);
  auto known = std::find_if(counts_.begin(), counts_.end(),
                            [&](const auto& entry) { return same_shapes(entry.first, inputs); });
  if (known != counts_.end()) {
    known->second += 1;
  } else if (counts_.size() < kMaxShapes) {
    counts_.emplace_back(shapes_of(inputs), 1);
  }
  total_ += 1;
  if (total_ >= 1000) {
    total_ /= 2;
    for (auto& [shapes, count] : counts_) count /= 2;
    std::erase_if(counts_, [](const auto& entry) { return entry.second < 0.5; });
  }
  if (bytes > kMaxBytes || !due()) return;
  values_.add(inputs);
  std::vector<engine::Tensor> copy;
  for (const engine::Tensor& input : inputs) copy.push_back(copy_of(input));
  if (kept_.size() < kKept) {
    kept_.push_back(std::move(copy));
  } else {
    kept_[next_ % kKept] = std::move(copy);
  }
  ++next_;
}

std::vector<std::vector<engine::Tensor>> RecentInputs::recent(
    const model::InputShapes& shapes) const {
  base::MutexLock lock(mutex_);
  std::vector<std::vector<engine::Tensor>> result;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const std::size_t index = (next_ - 1 - i) % kept_.size();
    if (shapes.empty() || same_shapes(shapes, kept_[index])) result.push_back(kept_[index]);
  }
  return result;
}

void RecentInputs::fill_values(Readings& readings) const {
  base::MutexLock lock(mutex_);
  values_.fill(readings);
}

std::uint64_t RecentInputs::counted() const {
  base::MutexLock lock(mutex_);
  return static_cast<std::uint64_t>(total_);
}

std::vector<std::pair<model::InputShapes, double>> RecentInputs::shapes() const {
  base::MutexLock lock(mutex_);
  auto result = counts_;
  for (auto& [shapes, share] : result) share /= std::max(1.0, total_);
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return result;
}

}  // namespace tachostat::app

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
    : clock_(clock), scheduler_(scheduler), traffic_(clock.now()) {}

void TrafficWindow::answered(const schedule::Answered& answered) {
  const schedule::Timing& timing = answered.timing;
  base::MutexLock lock(mutex_);
  if (!answered.ok) return traffic_.failed();
  traffic_.answered(answered.variant, timing.done - timing.arrival, timing.done - timing.dispatched,
                    timing.batch);
}

govern::Observation TrafficWindow::take() {
  const schedule::Statistics now = scheduler_->statistics();
  base::MutexLock lock(mutex_);
  return traffic_.take(clock_.now(),
                       {.arrivals = now.arrivals(), .refused = now.refused(), .hung = now.hung});
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

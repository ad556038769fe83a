#include "simulate/bound.h"

#include <algorithm>
#include <numeric>

#include "simulate/service.h"
#include "simulate/world.h"

namespace tachostat::simulate {
namespace {

bool allowed(const SimulatedModel& model, const SimulatedVariant& variant) {
  const bool reachable = variant.verified || model.learn == govern::Learn::kOn;
  return reachable &&
         (variant.name == model.start || variant.label_error <= model.targets.max_drop);
}

// Each variant and batch, with the core seconds that such an inference takes on average.
template <class See>
void each_way(const SimulatedModel& model, See see) {
  for (const SimulatedVariant& variant : model.variants) {
    if (!allowed(model, variant)) continue;
    const double factor = mean_factor(variant.service);
    for (int batch = 1; batch <= variant.batch; ++batch) {
      const double mean = base::to_seconds(median_service(variant.service, batch)) * factor;
      see(variant, batch, mean * variant.threads / variant.streams);
    }
  }
}

// Requests per second of one node in that condition, by the best variant and batch.
double best_rate(const SimulatedModel& model, const Condition& condition) {
  double best = 0;
  if (condition.down) return best;
  each_way(model, [&](const SimulatedVariant& variant, int batch, double work) {
    const double cores = std::min<double>(variant.threads, condition.cores);
    best = std::max(best, cores / condition.slowness * batch / work);
  });
  return best;
}

// Core seconds that one request takes at least.
double least_work(const SimulatedModel& model) {
  double least = 0;
  each_way(model, [&](const SimulatedVariant&, int batch, double work) {
    if (least == 0 || work / batch < least) least = work / batch;
  });
  return least;
}

// Seconds, of the most patient class.
double longest_limit(const SimulatedModel& model) {
  double longest = 0;
  for (const RequestClass& each : model.classes) {
    longest = std::max(longest, base::to_seconds(model.limit(each)));
  }
  return longest;
}

}  // namespace

ClairvoyantBound::ClairvoyantBound(const Scenario& scenario, const SimulatedModel& model)
    : limit_(longest_limit(model)) {
  double done = 0, before = 0, capacity = 0;
  for (const base::Duration change : changes_of(scenario)) {
    const double begin = base::to_seconds(change);
    done += (begin - before) * capacity;
    capacity = 0;
    for (const NodesAlike& nodes : conditions_at(scenario, change)) {
      capacity += nodes.count * best_rate(model, nodes.condition);
    }
    pieces_.push_back({.begin = begin, .done = done, .capacity = capacity});
    before = begin;
  }
}

// Callers ask for ascending arrivals and for deadlines a little later: the search goes on from the
// last arrival's piece.
double ClairvoyantBound::answered_by(double second) const {
  std::size_t piece = piece_;
  while (piece + 1 < pieces_.size() && pieces_[piece + 1].begin <= second) ++piece;
  return pieces_[piece].done + (second - pieces_[piece].begin) * pieces_[piece].capacity;
}

void ClairvoyantBound::arrive(base::Duration at, bool counted) {
  const double second = base::to_seconds(at);
  while (piece_ + 1 < pieces_.size() && pieces_[piece_ + 1].begin <= second) ++piece_;
  const double finish = std::max(finished_, answered_by(second)) + 1;
  if (finish > answered_by(second + limit_)) return;
  finished_ = finish;
  if (counted) in_time_ += 1;
}

std::vector<double> capped_together(const Scenario& scenario, std::vector<double> alone) {
  if (scenario.models.size() < 2) return alone;
  double work = 0, before = 0, rate = 0;
  auto spend_until = [&](double second) {
    const double from = std::max(before, base::to_seconds(scenario.warm_up));
    work += std::max(0.0, second - from) * rate;
    before = second;
  };
  for (const base::Duration change : changes_of(scenario)) {
    spend_until(base::to_seconds(change));
    rate = 0;
    for (const NodesAlike& nodes : conditions_at(scenario, change)) {
      const Condition& condition = nodes.condition;
      if (!condition.down) rate += nodes.count * condition.cores / condition.slowness;
    }
  }
  // What is counted may still be worked on after the end, for as long as it may wait.
  double patience = 0;
  for (const SimulatedModel& model : scenario.models) {
    patience = std::max(patience, longest_limit(model));
  }
  spend_until(base::to_seconds(scenario.duration) + patience);

  std::vector<std::size_t> order(alone.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return least_work(scenario.models[a]) < least_work(scenario.models[b]);
  });
  for (const std::size_t i : order) {
    const double each = least_work(scenario.models[i]);
    if (each > 0) alone[i] = std::min(alone[i], std::max(0.0, work) / each);
    work -= alone[i] * each;
  }
  return alone;
}

}  // namespace tachostat::simulate

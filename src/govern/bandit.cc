#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "govern/forecast.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

using verify::Point;

// What is known of one variant under one load: a normal posterior of its mean reward.
struct Arm {
  double mean = 0;
  double weight = 0;  // windows, the prior's among them
  double windows = 0;
};

class Bandit final : public Policy {
 public:
  explicit Bandit(BanditOptions options) : options_(options), bits_(options.seed) {}

  std::string_view name() const override { return "bandit"; }

  Choice decide(const Observation& seen, const verify::Frontier& frontier, const Targets& targets,
                std::string_view current, base::Time) override {
    const Point* serving = frontier.find(current);
    if (serving != nullptr && seen.answered < options_.min_answers) {
      return stay_with(*serving, fmt::format("{} answers in {:.1f} s: too few to judge",
                                             seen.answered, seen.seconds()));
    }
    if (serving != nullptr) {
      forecast_.add(seen, *serving);
      learn(seen, *serving, frontier, targets);
    }
    const Point* best = best_of(frontier, targets);
    if (best == nullptr) {
      return {.variant = std::string(current), .reason = "no verified variant was measured yet"};
    }
    if (serving == nullptr) return go_to(*best, targets, "what served is no longer allowed");
    return draw(seen, *serving, *best, frontier, targets);
  }

 private:
  // Loads are alike within a factor of the square root of two.
  int context() const {
    const double rate = std::max(0.1, forecast_.load().arrival_rate);
    return static_cast<int>(std::floor(2 * std::log2(rate)));
  }

  // In time, and a little for answering soon: two variants that both hold are not alike.
  static double reward(double in_time, double mean_ms, const Targets& targets) {
    const double scale = targets.p99 ? base::to_milliseconds(*targets.p99) : 100;
    return in_time - 0.05 * std::min(1.0, mean_ms / scale);
  }

  double expected(const Point& point, const Targets& targets) const {
    const Prediction prediction = predict(forecast_.now(point), forecast_.load());
    if (prediction.utilisation < 0) return 0;
    const double target = targets.p99 ? base::to_milliseconds(*targets.p99) : 1e9;
    // Past saturation about that share is answered, and late too unless the queue is cut short.
    const double in_time = prediction.utilisation >= 1   ? 0.7 / prediction.utilisation
                           : prediction.p99_ms <= target ? 1
                                                         : 0.9;
    return reward(in_time, std::min(prediction.mean_ms, target), targets);
  }

  Arm& arm(const Point& point, const Targets& targets) {
    const auto [place, fresh] = arms_.try_emplace({context(), point.variant.id()});
    if (fresh) {
      place->second.mean = expected(point, targets);
      place->second.weight = options_.prior_windows;
    }
    return place->second;
  }

  void learn(const Observation& seen, const Point& serving, const verify::Frontier& frontier,
             const Targets& targets) {
    const auto limit = targets.p99 ? static_cast<std::uint64_t>(targets.p99->count()) : UINT64_MAX;
    const double in_time = static_cast<double>(seen.latency.count_up_to(limit)) /
                           static_cast<double>(std::max(seen.arrivals, seen.answered));
    const double value = reward(std::min(1.0, in_time), seen.latency.mean() / 1e6, targets);
    const Point* best = best_of(frontier, targets);
    if (exploring_ && best != nullptr) spent_ += std::max(0.0, arm(*best, targets).mean - value);
    ++windows_;
    Arm& mine = arm(serving, targets);
    mine.weight += 1;
    mine.windows += 1;
    mine.mean += (value - mine.mean) / mine.weight;
    // The world changes: what was seen long ago counts for less.
    mine.weight = std::min(mine.weight, 50.0);
  }

  bool measured(const Point& point) const { return point.capacity > 0 && point.service_ms > 0; }

  const Point* best_of(const verify::Frontier& frontier, const Targets& targets) {
    const Point* best = nullptr;
    for (const Point& point : frontier.points()) {
      if (!measured(point)) continue;
      if (best == nullptr || arm(point, targets).mean > arm(*best, targets).mean) best = &point;
    }
    return best;
  }

  // Between draws a variant stays, so that a window tells of it alone.
  Choice draw(const Observation& seen, const Point& serving, const Point& best,
              const verify::Frontier& frontier, const Targets& targets) {
    const Arm mine = arm(serving, targets);
    const bool bad = arm(best, targets).mean - mine.mean > 2 * options_.noise;
    if (++round_ < options_.rounds && !bad) {
      return stay_with(serving, fmt::format("{:.3g} requests/s: a draw every {} windows",
                                            seen.arrival_rate(), options_.rounds));
    }
    round_ = 0;
    const bool may_explore = !bad && spent_ <= options_.regret * static_cast<double>(windows_);
    const Point* chosen = &best;
    if (may_explore) {
      double highest = -1e9;
      for (const Point& point : frontier.points()) {
        if (!measured(point) || (!safe(point, targets) && &point != &best)) continue;
        const Arm& each = arm(point, targets);
        const double sample =
            each.mean + options_.noise / std::sqrt(each.weight) * base::normal(bits_);
        if (sample > highest) {
          highest = sample;
          chosen = &point;
        }
      }
    }
    exploring_ = chosen != &best;
    if (chosen == &serving) {
      return stay_with(serving,
                       fmt::format("{:.3g} requests/s: drawn again, reward {:.3f} after {:.0f} "
                                   "windows",
                                   seen.arrival_rate(), mine.mean, mine.windows));
    }
    const Arm& other = arm(*chosen, targets);
    return go_to(
        *chosen, targets,
        fmt::format("{:.3g} requests/s: {} {} with reward {:.3f} after {:.0f} windows, "
                    "{} has {:.3f} after {:.0f}; exploring has cost {:.3f} of {:.3f}",
                    seen.arrival_rate(), exploring_ ? "explores" : "goes to", chosen->variant.id(),
                    other.mean, other.windows, serving.variant.id(), mine.mean, mine.windows,
                    spent_, options_.regret * static_cast<double>(windows_)));
  }

  bool safe(const Point& point, const Targets& targets) const {
    const Prediction prediction = predict(forecast_.now(point), forecast_.load());
    return prediction.utilisation >= 0 && prediction.utilisation <= options_.safe_utilisation &&
           (!targets.p99 || prediction.p99_ms <= base::to_milliseconds(*targets.p99));
  }

  const BanditOptions options_;
  Forecast forecast_;
  std::mt19937_64 bits_;
  std::map<std::pair<int, std::string>, Arm> arms_;
  std::uint64_t windows_ = 0;
  double spent_ = 0;  // rewards that exploring has cost
  bool exploring_ = false;
  int round_ = 0;
};

}  // namespace

std::unique_ptr<Policy> make_bandit(BanditOptions options) {
  return std::make_unique<Bandit>(options);
}

}  // namespace tachostat::govern

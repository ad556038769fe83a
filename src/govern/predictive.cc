#include <algorithm>
#include <optional>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "govern/forecast.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

using verify::Point;

struct Outlook {
  const Point* point;  // as it was proved
  Prediction expected;
  double capacity = 0;  // now
  bool holds = false;
};

class Predictive final : public Policy {
 public:
  explicit Predictive(PredictiveOptions options) : options_(options) {}

  std::string_view name() const override { return "predictive"; }

  Choice decide(const Observation& seen, const verify::Frontier& frontier, const Targets& targets,
                std::string_view current, base::Time now) override {
    if (current != current_) {
      current_ = current;
      changed_ = now;
      urged_ = better_ = 0;
    }
    const Point* serving = frontier.find(current);
    if (serving != nullptr && seen.answered < options_.min_answers) {
      return stay_with(*serving, fmt::format("{} answers in {:.1f} s: too few to judge",
                                             seen.answered, seen.seconds()));
    }
    if (serving != nullptr) forecast_.add(seen, *serving);
    const std::vector<Outlook> outlooks = look(frontier, targets);
    const Outlook* best = best_of(outlooks, targets);
    if (best == nullptr) {
      return {.variant = std::string(current), .reason = "no verified variant was measured yet"};
    }
    if (serving == nullptr) return go_to(*best->point, targets, "what served is no longer allowed");
    return weigh(seen, *serving, outlooks, *best, targets, now);
  }

 private:
  std::vector<Outlook> look(const verify::Frontier& frontier, const Targets& targets) const {
    const Load load = forecast_.load();
    std::vector<Outlook> outlooks;
    for (const Point& point : frontier.points()) {
      const Point now = forecast_.now(point);
      Outlook outlook{.point = &point, .expected = predict(now, load), .capacity = now.capacity};
      if (outlook.expected.utilisation < 0) continue;
      outlook.holds = outlook.expected.utilisation < options_.most_utilisation &&
                      (!targets.p99 || outlook.expected.p99_ms <=
                                           options_.margin * base::to_milliseconds(*targets.p99));
      outlooks.push_back(outlook);
    }
    return outlooks;
  }

  // Of those that hold, the one that answers soonest; where none holds, the one that answers most
  // requests of those whose inference alone is in time.
  static const Outlook* best_of(const std::vector<Outlook>& outlooks, const Targets& targets) {
    const Outlook* best = nullptr;
    for (const Outlook& each : outlooks) {
      if (!each.holds) continue;
      if (best == nullptr || each.expected.mean_ms < best->expected.mean_ms) best = &each;
    }
    if (best != nullptr) return best;
    for (const bool in_time : {true, false}) {
      for (const Outlook& each : outlooks) {
        const bool alone =
            !targets.p99 || each.point->service_ms <= base::to_milliseconds(*targets.p99);
        if (in_time && !alone) continue;
        if (best == nullptr || each.capacity > best->capacity) best = &each;
      }
      if (best != nullptr) return best;
    }
    return best;
  }

  Choice weigh(const Observation& seen, const Point& serving, const std::vector<Outlook>& outlooks,
               const Outlook& best, const Targets& targets, base::Time now) {
    const auto mine = std::find_if(outlooks.begin(), outlooks.end(), [&](const Outlook& each) {
      return each.point->variant.id() == current_;
    });
    const bool holds = mine != outlooks.end() && mine->holds;
    const double p99_ms = static_cast<double>(seen.latency.quantile(0.99)) / 1e6;
    const bool missed = targets.p99 && p99_ms > base::to_milliseconds(*targets.p99);
    if (best.point == &serving) {
      urged_ = better_ = 0;
      return stay_with(
          serving, fmt::format("{}, nothing verified would do better", seen_text(seen, p99_ms)));
    }
    const bool more = best.holds || mine == outlooks.end() ||
                      best.capacity > options_.clearly_more * mine->capacity;
    urged_ = (!holds || missed) && more ? urged_ + 1 : 0;
    const bool sooner = holds && !missed && best.holds &&
                        best.expected.mean_ms < options_.clearly_sooner * mine->expected.mean_ms;
    better_ = sooner ? better_ + 1 : 0;
    const base::Duration served = now - changed_;
    if (urged_ >= options_.urged_windows && served >= options_.urgent_dwell) {
      return go_to(*best.point, targets,
                   fmt::format("{}: {} is expected to {}", seen_text(seen, p99_ms),
                               best.point->variant.id(), expected_text(best)));
    }
    if (better_ >= options_.better_windows && served >= options_.dwell) {
      return go_to(*best.point, targets,
                   fmt::format("{}: {} is expected to {} and to answer sooner ({:.3g} instead of "
                               "{:.3g} ms on average)",
                               seen_text(seen, p99_ms), best.point->variant.id(),
                               expected_text(best), best.expected.mean_ms, mine->expected.mean_ms));
    }
    return stay_with(
        serving, fmt::format("{}: waiting before {} ({} of {} windows)", seen_text(seen, p99_ms),
                             best.point->variant.id(), std::max(urged_, better_),
                             urged_ > 0 ? options_.urged_windows : options_.better_windows));
  }

  std::string seen_text(const Observation& seen, double p99_ms) const {
    return fmt::format(
        "{:.3g} requests/s with p99 {:.3g} ms, {:.3g} expected, inferences take "
        "{:.2f} times what was proved",
        seen.arrival_rate(), p99_ms, forecast_.load().arrival_rate, forecast_.slowness());
  }

  static std::string expected_text(const Outlook& outlook) {
    if (outlook.expected.utilisation >= 1) {
      return fmt::format("answer {:.3g} requests/s, the most of all", outlook.capacity);
    }
    return fmt::format("be {:.0f} % busy with p99 {:.3g} ms", outlook.expected.utilisation * 100,
                       outlook.expected.p99_ms);
  }

  const PredictiveOptions options_;
  Forecast forecast_;
  std::string current_;
  base::Time changed_{};
  int urged_ = 0;
  int better_ = 0;
};

}  // namespace

std::unique_ptr<Policy> make_predictive(PredictiveOptions options) {
  return std::make_unique<Predictive>(options);
}

}  // namespace tachostat::govern

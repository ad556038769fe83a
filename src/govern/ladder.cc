#include <algorithm>
#include <optional>

#include "base/status.h"
#include "base/units.h"
#include "govern/govern.h"
#include "govern/predict.h"

namespace tachostat::govern {
namespace {

using verify::Point;

constexpr double kClearlyFaster = 0.9;  // a step down must cut the mean latency to this share
constexpr double kQueueing = 1.2;       // mean latency ÷ mean service time: requests do wait

double ms(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

class Ladder final : public Policy {
 public:
  explicit Ladder(LadderOptions options) : options_(options) {}

  std::string_view name() const override { return "ladder"; }

  Choice decide(const Observation& observation, const verify::Frontier& frontier,
                const Targets& targets, std::string_view current, base::Time now) override {
    if (current != current_) {  // also when someone else switched
      current_ = current;
      changed_ = now;
      up_count_ = down_count_ = 0;
    }
    const Point* rung = frontier.find(current);
    if (rung == nullptr) return leave(observation, frontier, targets);
    if (observation.answered < options_.min_answers) {
      return stay_with(
          *rung, fmt::format("{} answers in {:.1f} s: too few to judge, {} are needed",
                             observation.answered, observation.seconds(), options_.min_answers));
    }
    const View view = look(observation, *rung, targets);
    const Point* up = view.pressed ? way_out(view, frontier, *rung, targets) : nullptr;
    const Point* down = view.pressed ? nullptr : lower(view, frontier, *rung, targets);
    up_count_ = view.pressed ? up_count_ + 1 : 0;
    down_count_ = down != nullptr ? down_count_ + 1 : 0;
    const bool rested = now - changed_ >= options_.dwell;
    if (up != nullptr && up_count_ >= options_.up_windows && rested) {
      return go_to(*up, targets, up_reason(view, *up, targets));
    }
    if (down != nullptr && down_count_ >= options_.down_windows && rested) {
      return go_to(*down, targets, down_reason(view, *down));
    }
    return stay_with(*rung, stay_reason(view, frontier, up, down, targets));
  }

 private:
  struct View {
    Load load;
    double utilisation = 0;
    double mean_ms = 0;
    double p99_ms = 0;
    bool missed = false;   // the p99 target
    bool crowded = false;  // utilisation over the limit, and requests do wait
    bool pressed = false;  // either
  };

  View look(const Observation& observation, const Point& rung, const Targets& targets) const {
    View view{.load = load_of(observation)};
    view.mean_ms = observation.latency.mean() / 1e6;
    view.p99_ms = ms(observation.latency.quantile(0.99));
    const double service_ms = observation.service.mean() / 1e6;
    // From what was seen now, not from the trial: a neighbour may have taken half of the machine.
    view.utilisation = observation.arrival_rate() * service_ms / 1e3 / slots_of(rung);
    view.missed = targets.p99 && view.p99_ms > base::to_milliseconds(*targets.p99);
    // One client in a closed loop keeps a one-stream variant busy all the time; nobody waits.
    view.crowded =
        view.utilisation > options_.up_utilisation && view.mean_ms > kQueueing * service_ms;
    view.pressed = view.missed || view.crowded;
    return view;
  }

  bool holds(const Prediction& prediction, const Targets& targets, double margin) const {
    if (!targets.p99) return prediction.utilisation <= options_.up_utilisation;
    return prediction.p99_ms <= margin * base::to_milliseconds(*targets.p99);
  }

  // The nearest higher rung that is predicted to hold; else the highest that helps at all; else a
  // lower one that holds with margin.
  const Point* way_out(const View& view, const verify::Frontier& frontier, const Point& rung,
                       const Targets& targets) const {
    const Point* best = nullptr;
    for (const Point& point : frontier.points()) {
      if (point.capacity <= rung.capacity || &point == &rung) continue;
      const Prediction prediction = predict(point, view.load);
      if (prediction.utilisation < 0 || prediction.closed_mean_ms >= view.mean_ms) continue;
      // No queue, only a long service: more capacity with a longer service would not help.
      if (!view.crowded && prediction.p99_ms >= view.p99_ms) continue;
      if (holds(prediction, targets, 1)) return &point;
      best = &point;
    }
    if (best != nullptr || !view.missed) return best;
    for (const Point& point : frontier.points()) {
      if (&point == &rung) continue;
      const Prediction prediction = predict(point, view.load);
      const bool carries = prediction.utilisation >= 0 &&
                           prediction.utilisation <= options_.down_utilisation &&
                           prediction.p99_ms < view.p99_ms;
      if (carries && holds(prediction, targets, options_.down_margin)) return &point;
    }
    return nullptr;
  }

  // The nearest lower rung that would hold with margin and answer sooner; what it has less of is
  // capacity only.
  const Point* lower(const View& view, const verify::Frontier& frontier, const Point& rung,
                     const Targets& targets) const {
    const Point* nearest = nullptr;
    for (const Point& point : frontier.points()) {
      if (point.capacity >= rung.capacity || &point == &rung) continue;
      const Prediction prediction = predict(point, view.load);
      if (prediction.utilisation < 0 || prediction.utilisation > options_.down_utilisation) {
        continue;
      }
      if (!holds(prediction, targets, options_.down_margin)) continue;
      if (prediction.mean_ms < kClearlyFaster * view.mean_ms) nearest = &point;
    }
    return nearest;
  }

  // `current_` is not among the verified variants that the targets allow: no waiting.
  Choice leave(const Observation& observation, const verify::Frontier& frontier,
               const Targets& targets) const {
    const Load load = load_of(observation);
    const Point* best = nullptr;
    for (const Point& point : frontier.points()) {
      if (best == nullptr || predict(point, load).mean_ms < predict(*best, load).mean_ms) {
        best = &point;
      }
    }
    if (best == nullptr) {
      return {.variant = current_,
              .reason = fmt::format("no verified variant keeps the drop of labels under {:g} %",
                                    targets.max_drop * 100)};
    }
    return go_to(
        *best, targets,
        fmt::format("{} is no longer allowed: at most {:g} % of labels may differ, and {} is "
                    "bounded at {:.2g} %",
                    current_, targets.max_drop * 100, best->variant.id(), best->drop_bound * 100));
  }

  static std::string now_text(const View& view) {
    return fmt::format(
        "p99 {:.3g} ms and mean {:.3g} ms at {:.3g} requests/s, utilisation {:.0f} %", view.p99_ms,
        view.mean_ms, view.load.arrival_rate, view.utilisation * 100);
  }

  std::string up_reason(const View& view, const Point& to, const Targets& targets) const {
    const Prediction prediction = predict(to, view.load);
    const std::string why =
        view.missed ? fmt::format("the target {} is missed", base::format_duration(*targets.p99))
                    : fmt::format("utilisation is over {:.0f} %", options_.up_utilisation * 100);
    return fmt::format(
        "{} in {} windows ({}); {} carries {:.3g}/s and is predicted at p99 {:.3g} ms", why,
        up_count_, now_text(view), to.variant.id(), to.capacity, prediction.p99_ms);
  }

  std::string down_reason(const View& view, const Point& to) const {
    const Prediction prediction = predict(to, view.load);
    return fmt::format(
        "for {} windows {}; {} would carry it at {:.0f} % utilisation with p99 {:.3g} ms and mean "
        "{:.3g} ms",
        down_count_, now_text(view), to.variant.id(), prediction.utilisation * 100,
        prediction.p99_ms, prediction.mean_ms);
  }

  std::string stay_reason(const View& view, const verify::Frontier& frontier, const Point* up,
                          const Point* down, const Targets& targets) const {
    if (view.pressed && up == nullptr) {
      return fmt::format(
          "{}{}, and none of the {} verified variants is predicted to do better", now_text(view),
          view.missed ? fmt::format(" miss the target p99 {}", base::format_duration(*targets.p99))
                      : " is more than it should carry",
          frontier.points().size());
    }
    if (up != nullptr) {
      return fmt::format("{}: waiting before a step up to {} ({} of {} windows)", now_text(view),
                         up->variant.id(), up_count_, options_.up_windows);
    }
    if (down != nullptr) {
      return fmt::format("{}: waiting before a step down to {} ({} of {} windows)", now_text(view),
                         down->variant.id(), down_count_, options_.down_windows);
    }
    return fmt::format("{}: nothing to change", now_text(view));
  }

  const LadderOptions options_;
  std::string current_;
  base::Time changed_{};
  int up_count_ = 0;
  int down_count_ = 0;
};

}  // namespace

std::unique_ptr<Policy> make_ladder(LadderOptions options) {
  return std::make_unique<Ladder>(options);
}

}  // namespace tachostat::govern

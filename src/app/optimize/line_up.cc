#include "app/optimize/line_up.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "app/driver.h"
#include "base/status.h"
#include "base/units.h"
#include "optimize/quantise/local_cost.h"
#include "verify/verify.h"

namespace tachostat::app {
namespace {

constexpr int kWarmUp = 3;

class Lane {
 public:
  Lane(std::unique_ptr<engine::Session> session, const std::vector<engine::Tensor>& inputs,
       bool saturate)
      : session_(std::move(session)),
        driver_(*session_, inputs),
        streams_(saturate ? std::max(1, session_->applied().streams) : 1) {}

  // Finds how many requests fill a turn.
  absl::Status warm_up(base::Clock& clock, base::Duration turn) {
    TS_RETURN_IF_ERROR(driver_.run(streams_ * kWarmUp));
    TS_ASSIGN_OR_RETURN(const double ms, take_turn(clock));
    const double wanted = base::to_seconds(turn) * 1e3 / std::max(1e-3, ms);
    const int per_stream = static_cast<int>(std::clamp(wanted / streams_ + 1, 2.0, 1e5));
    requests_ = streams_ * per_stream;
    return absl::OkStatus();
  }

  int requests() const { return requests_; }

  absl::StatusOr<double> take_turn(base::Clock& clock) {
    const base::Time begin = clock.now();
    if (streams_ > 1) {
      TS_RETURN_IF_ERROR(driver_.run(requests_));
    } else {
      for (int i = 0; i < requests_; ++i) TS_RETURN_IF_ERROR(driver_.run(1));
    }
    return base::to_seconds(clock.now() - begin) * 1e3 / requests_;
  }

 private:
  std::unique_ptr<engine::Session> session_;
  Driver driver_;
  int streams_;
  int requests_ = 2;
};

absl::Status run_lap(base::Clock& clock, Lane& lane,
                     const std::function<std::optional<double>()>& joules, Lap& lap) {
  const std::optional<double> before = joules ? joules() : std::nullopt;
  TS_ASSIGN_OR_RETURN(const double ms, lane.take_turn(clock));
  lap.ms.push_back(ms);
  const std::optional<double> after = before ? joules() : std::nullopt;
  const double used = after.value_or(0) - before.value_or(0);
  if (after && used >= 0) lap.joules.push_back(used / lane.requests());
  return absl::OkStatus();
}

// Of those from `stay` on.
void drop_slower_half(std::vector<std::size_t>& running, const std::vector<Lap>& laps,
                      std::size_t stay) {
  // Times the fastest: who is so near may yet turn out to be it.
  constexpr double kNear = 1.05;
  std::vector<double> times;
  for (const Lap& lap : laps) times.push_back(optimize::median_of(lap.ms));
  std::vector<double> rivals;
  double fastest = std::numeric_limits<double>::infinity();
  for (const std::size_t i : running) {
    fastest = std::min(fastest, times[i]);
    if (i >= stay) rivals.push_back(times[i]);
  }
  if (rivals.size() < 2) return;
  const auto middle = rivals.begin() + static_cast<std::ptrdiff_t>((rivals.size() + 1) / 2);
  std::nth_element(rivals.begin(), middle - 1, rivals.end());
  const double slowest = std::max(*(middle - 1), kNear * fastest);
  std::erase_if(running, [&](std::size_t i) { return i >= stay && times[i] > slowest; });
}

}  // namespace

absl::StatusOr<std::vector<Lap>> line_up(base::Clock& clock, engine::Engine& engine,
                                         const model::Graph& graph,
                                         std::span<const model::Variant> variants,
                                         const std::vector<engine::Tensor>& inputs,
                                         const LineUpOptions& options) {
  std::vector<std::unique_ptr<Lane>> lanes;
  std::vector<Lap> laps;
  for (const model::Variant& variant : variants) {
    TS_ASSIGN_OR_RETURN(auto session, engine.load(graph, variant, nullptr));
    laps.push_back({.memory_bytes = session->memory_bytes()});
    lanes.push_back(std::make_unique<Lane>(std::move(session), inputs, options.saturate));
    TS_RETURN_IF_ERROR(lanes.back()->warm_up(clock, options.turn));
  }
  std::vector<std::size_t> running(lanes.size());
  std::iota(running.begin(), running.end(), 0);
  std::mt19937_64 random(options.seed);
  for (int round = 0; round < options.rounds; ++round) {
    if (options.progress && !options.progress(round)) break;
    if (round > 0 && (round == options.rounds / 4 || round == options.rounds / 2)) {
      drop_slower_half(running, laps, options.stay);
    }
    std::shuffle(running.begin(), running.end(), random);
    for (const std::size_t i : running) {
      TS_RETURN_IF_ERROR(run_lap(clock, *lanes[i], options.joules, laps[i]));
    }
  }
  return laps;
}

std::string to_string(const Ratio& ratio) {
  return fmt::format("{:.3f} ({:.3f}–{:.3f})", ratio.value, ratio.low, ratio.high);
}

Ratio ratio_of(std::span<const double> base, std::span<const double> candidate,
               std::size_t rivals) {
  constexpr double kFalseRaces = 0.01;
  verify::SequentialTest shown({.alpha = 0.05});
  // Twice: only one side of the interval can be wrong in this way.
  verify::SequentialTest strict(
      {.alpha = 2 * kFalseRaces / static_cast<double>(std::max<std::size_t>(1, rivals))});
  for (std::size_t i = 0; i < std::min(base.size(), candidate.size()); ++i) {
    shown.add(base[i], candidate[i]);
    strict.add(base[i], candidate[i]);
  }
  return {shown.ratio(), shown.ratio_low(), shown.ratio_high(), shown.pairs(),
          strict.ratio_high() < 1};
}

}  // namespace tachostat::app

#include "simulate/arrivals.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace tachostat::simulate {
namespace {

// A Poisson process whose rate changes with time, by thinning (Lewis and Shedler, 1979).
class Thinned final : public ArrivalStream {
 public:
  // `rate` of seconds since the stream's begin, at most `most`.
  Thinned(base::Duration begin, base::Duration end, double most, std::function<double(double)> rate,
          Random random)
      : begin_(begin), end_(end), most_(most), rate_(std::move(rate)), random_(random) {}

  std::optional<base::Duration> next() override {
    if (most_ <= 0) return std::nullopt;
    for (;;) {
      at_ += random_.exponential(1 / most_);
      if (begin_ + base::from_seconds(at_) >= end_) return std::nullopt;
      if (random_.uniform() * most_ <= rate_(at_)) return begin_ + base::from_seconds(at_);
    }
  }

 private:
  const base::Duration begin_, end_;
  const double most_;
  const std::function<double(double)> rate_;
  Random random_;
  double at_ = 0;  // seconds since begin
};

// A Markov-modulated Poisson process.
class Modulated final : public ArrivalStream {
 public:
  Modulated(const Arrivals& law, base::Duration end, Random random)
      : law_(law), end_(end), random_(random) {
    enter(random_.below(law_.rates.size()));
  }

  std::optional<base::Duration> next() override {
    for (;;) {
      const double rate = law_.rates[state_];
      const double gap = rate > 0 ? random_.exponential(1 / rate) : 1e18;
      if (at_ + gap < leaves_) {
        at_ += gap;
        const base::Duration time = law_.begin + base::from_seconds(at_);
        return time < end_ ? std::optional(time) : std::nullopt;
      }
      at_ = leaves_;  // the gap has no memory, so it is drawn anew in the next state
      if (law_.begin + base::from_seconds(at_) >= end_) return std::nullopt;
      const std::size_t step = 1 + random_.below(std::max<std::size_t>(1, law_.rates.size() - 1));
      enter((state_ + step) % law_.rates.size());
    }
  }

 private:
  void enter(std::size_t state) {
    state_ = state;
    leaves_ = at_ + random_.exponential(base::to_seconds(law_.stays[state]));
  }

  const Arrivals& law_;
  const base::Duration end_;
  Random random_;
  std::size_t state_ = 0;
  double at_ = 0;
  double leaves_ = 0;
};

// Gaps with a heavy tail: Pareto (Lomax, so that gaps near 0 are frequent too) with the stream's
// mean.
class HeavyTailed final : public ArrivalStream {
 public:
  HeavyTailed(const Arrivals& law, base::Duration end, Random random)
      : law_(law), end_(end), random_(random) {}

  std::optional<base::Duration> next() override {
    const double scale = (law_.shape - 1) / law_.rate;
    at_ += scale * (std::pow(random_.uniform(), -1 / law_.shape) - 1);
    if (at_ > 1e9) return std::nullopt;
    const base::Duration time = law_.begin + base::from_seconds(at_);
    return time < end_ ? std::optional(time) : std::nullopt;
  }

 private:
  const Arrivals& law_;
  const base::Duration end_;
  Random random_;
  double at_ = 0;
};

class Replayed final : public ArrivalStream {
 public:
  Replayed(const Arrivals& law, base::Duration end) : law_(law), end_(end) {}

  std::optional<base::Duration> next() override {
    if (place_ == law_.times.size()) return std::nullopt;
    const base::Duration time = law_.begin + law_.times[place_++];
    return time < end_ ? std::optional(time) : std::nullopt;
  }

 private:
  const Arrivals& law_;
  const base::Duration end_;
  std::size_t place_ = 0;
};

}  // namespace

std::unique_ptr<ArrivalStream> make_stream(const Arrivals& arrivals, base::Duration duration,
                                           Random random) {
  const base::Duration end = std::min(arrivals.end, duration);
  const double length = base::to_seconds(end - arrivals.begin);
  switch (arrivals.kind) {
    case Arrivals::Kind::kPoisson:
      return std::make_unique<Thinned>(
          arrivals.begin, end, arrivals.rate, [rate = arrivals.rate](double) { return rate; },
          random);
    case Arrivals::Kind::kRamp:
      return std::make_unique<Thinned>(
          arrivals.begin, end, std::max(arrivals.rate, arrivals.to_rate),
          [from = arrivals.rate, to = arrivals.to_rate, length](double at) {
            return from + (to - from) * at / length;
          },
          random);
    case Arrivals::Kind::kDiurnal:
      return std::make_unique<Thinned>(
          arrivals.begin, end, arrivals.rate * (1 + arrivals.swing),
          [mean = arrivals.rate, swing = arrivals.swing,
           period = base::to_seconds(arrivals.period)](double at) {
            return mean * (1 + swing * std::sin(2 * std::numbers::pi * at / period));
          },
          random);
    case Arrivals::Kind::kMarkov:
      return std::make_unique<Modulated>(arrivals, end, random);
    case Arrivals::Kind::kPareto:
      return std::make_unique<HeavyTailed>(arrivals, end, random);
    case Arrivals::Kind::kReplay:
      return std::make_unique<Replayed>(arrivals, end);
    case Arrivals::Kind::kClosed:
      return nullptr;
  }
  return nullptr;
}

}  // namespace tachostat::simulate

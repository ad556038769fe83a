#include "govern/predict.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tachostat::govern {
namespace {

constexpr double kMixed = 1.1;  // requests in an inference
constexpr double kUsualTail = 1.25;

// Squared coefficient of variation of a log-normal law with that 99th percentile ÷ median.
double variation(const Load& load) {
  const double sigma = std::log(std::max(1.0, load.service_tail)) / 2.326;
  return std::expm1(sigma * sigma);
}

}  // namespace

Load load_of(const Observation& observation) {
  Load load{.arrival_rate = observation.arrival_rate(), .in_flight = observation.mean_in_flight};
  const auto median = static_cast<double>(observation.service.quantile(0.5));
  // Inferences of many sizes: their tail says nothing of those of one size.
  if (observation.mean_batch > kMixed) load.service_tail = kUsualTail;
  if (median > 0 && observation.mean_batch <= kMixed) {
    const auto tail = static_cast<double>(observation.service.quantile(0.99));
    load.service_tail = std::clamp(tail / median, 1.0, 5.0);
  }
  return load;
}

double slots_of(const verify::Point& point) {
  return std::max(1.0, point.capacity * point.service_ms / 1e3);
}

double service_ms(const verify::Point& point, double requests) {
  const int batch = point.variant.batch;
  if (batch <= 1 || point.single_ms <= 0) return point.service_ms;
  const double each = (point.service_ms - point.single_ms) / (batch - 1);
  return point.single_ms + each * (std::clamp(requests, 1.0, static_cast<double>(batch)) - 1);
}

double slowness_of(const Observation& seen, const verify::Point& serving) {
  const double expected = service_ms(serving, seen.mean_batch);
  if (seen.answered == 0 || expected <= 0) return 0;
  // The line is one of means where batches differ; else the median, which outliers leave alone.
  const double now = serving.variant.batch > 1 ? seen.service.mean()
                                               : static_cast<double>(seen.service.quantile(0.5));
  return now / 1e6 / expected;
}

verify::Point slowed(verify::Point point, double times) {
  point.service_ms *= times;
  point.single_ms *= times;
  point.p99_ms *= times;
  point.capacity /= times;
  return point;
}

namespace {

// Requests that arrive while an inference runs, and are joined into the next.
double expected_batch(const verify::Point& point, double arrival_rate) {
  const double streams = std::max(1.0, slots_of(point) / std::max(1, point.variant.batch));
  double batch = 1;
  for (int i = 0; i < 20; ++i) batch = arrival_rate / streams * service_ms(point, batch) / 1e3;
  return std::clamp(batch, 1.0, static_cast<double>(point.variant.batch));
}

}  // namespace

Prediction predict(const verify::Point& point, const Load& load) {
  Prediction prediction;
  if (point.capacity <= 0 || point.service_ms <= 0) {
    prediction.utilisation = -1;
    return prediction;
  }
  const double slots = slots_of(point);
  prediction.closed_mean_ms = point.service_ms * std::max(1.0, load.in_flight / slots);
  const double utilisation = load.arrival_rate / point.capacity;
  prediction.utilisation = utilisation;
  if (utilisation >= 1) {
    prediction.mean_ms = prediction.p99_ms = std::numeric_limits<double>::infinity();
    return prediction;
  }
  const double chance_to_wait = std::pow(utilisation, std::sqrt(2 * (slots + 1)) - 1);
  const double mean_wait_when_waiting =
      point.service_ms / (slots * (1 - utilisation)) * (1 + variation(load)) / 2;
  // P(wait > t) = chance × exp(-t ÷ mean), so the 99th percentile is where that is 1 %.
  double p99_wait = mean_wait_when_waiting * std::max(0.0, std::log(100 * chance_to_wait));
  double mean_wait = chance_to_wait * mean_wait_when_waiting;
  double service = point.service_ms;
  if (point.variant.batch > 1 && point.single_ms > 0) {
    const double batch = expected_batch(point, load.arrival_rate);
    service = service_ms(point, batch);
    const double busy =
        std::min(1.0, load.arrival_rate * service / 1e3 * point.variant.batch / (batch * slots));
    mean_wait = std::max(mean_wait, busy * service / 2);
    p99_wait = std::max(p99_wait, busy * service);
  }
  prediction.mean_ms = service + mean_wait;
  prediction.p99_ms = std::max(prediction.mean_ms, service * load.service_tail + p99_wait);
  return prediction;
}

Choice choice_of(const model::Variant& variant, double service_ms, const Targets& targets) {
  Choice choice{.variant = variant.id(), .max_batch = std::max(1, variant.batch)};
  if (choice.max_batch > 1) choice.max_batch_delay = batch_delay(service_ms, targets);
  return choice;
}

Choice stay_with(const verify::Point& point, std::string reason) {
  Choice choice = choice_of(point.variant, point.service_ms, {});
  choice.reason = std::move(reason);
  return choice;
}

Choice go_to(const verify::Point& point, const Targets& targets, std::string reason) {
  Choice choice = choice_of(point.variant, point.service_ms, targets);
  choice.change = true;
  choice.reason = std::move(reason);
  return choice;
}

base::Duration batch_delay(double service_ms, const Targets& targets) {
  base::Duration delay = std::chrono::milliseconds(5);
  // Not measured yet: a delay that no user notices.
  if (!(service_ms > 0)) service_ms = 4;
  delay = std::min(delay, base::from_seconds(std::min(service_ms, 1e3) / 4e3));
  return targets.p99 ? std::min(delay, *targets.p99 / 10) : delay;
}

}  // namespace tachostat::govern

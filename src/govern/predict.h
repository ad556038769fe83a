// What a verified variant's latency would be under a load, from queueing theory.
#pragma once

#include <string>

#include "govern/govern.h"

namespace tachostat::govern {

struct Load {
  double arrival_rate = 0;  // requests per second
  double in_flight = 0;     // requests in the server at once
  double service_tail = 1;  // 99th percentile of the service time ÷ its median
};
Load load_of(const Observation& observation);

// Of an inference that joins so many requests: on the line between one and the whole batch, where
// both were measured.
double service_ms(const verify::Point& point, double requests);

// How many times longer inferences take than when the point was proved; 0: nothing was seen.
double slowness_of(const Observation& seen, const verify::Point& serving);

// What the point would be on a machine where inferences take so many times longer.
verify::Point slowed(verify::Point point, double times);

// Requests served side by side: streams × batch.
double slots_of(const verify::Point& point);

struct Prediction {
  double utilisation = 0;  // offered load ÷ capacity; may exceed 1; -1: not measured yet
  // Infinite at a utilisation of 1 and over.
  double mean_ms = 0;
  double p99_ms = 0;
  // When the clients wait for answers (a closed loop), the in-flight number stays and the queue
  // cannot grow: the service time times the turns that one has to wait.
  double closed_mean_ms = 0;
};

// An M/G/c queue: Poisson arrivals; the wait of M/M/c times (1 + cv²) ÷ 2 for a service time with
// coefficient of variation cv (Allen and Cunneen). The chance to wait is Sakasegawa's approximation
// (1977), utilisation ^ (sqrt(2 (c + 1)) - 1); waiting times are taken for exponential, which is
// pessimistic at the 99th percentile for a neural network's nearly constant service time. Where a
// batch is run and single_ms is known, a batch is as large as what arrives while the one before it
// runs, and a request waits for the rest of that one.
Prediction predict(const verify::Point& point, const Load& load);

// How a variant serves: its batch, and the wait for company.
Choice choice_of(const model::Variant& variant, double service_ms, const Targets& targets);

// A policy's answers: on with what serves, or on to another; each with its reason.
Choice stay_with(const verify::Point& point, std::string reason);
Choice go_to(const verify::Point& point, const Targets& targets, std::string reason);

// How long the first request of a batch may wait for company: a quarter of a service time, a tenth
// of the p99 target, 5 ms.
base::Duration batch_delay(double service_ms, const Targets& targets);

}  // namespace tachostat::govern

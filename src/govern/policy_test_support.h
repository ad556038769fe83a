// Windows of made-up traffic for the tests of policies.
#pragma once

#include <cstdint>

#include "govern/govern.h"

namespace tachostat::govern {

// A quick variant of one stream and one that carries more with a longer service time.
inline model::Variant quick() { return {.threads = 2, .streams = 1}; }
inline model::Variant wide() { return {.threads = 2, .streams = 2}; }

struct Seen {
  double rate = 50;
  double latency_ms = 12;
  double service_ms = 10;
};

// A second of it, after which `now` stands.
inline Observation observe(const Seen& seen, base::Time& now) {
  Observation observation;
  observation.begin = now;
  now += std::chrono::seconds(1);
  observation.end = now;
  observation.arrivals = observation.answered = static_cast<std::uint64_t>(seen.rate);
  const auto ns = [](double ms) { return static_cast<std::uint64_t>(ms * 1e6); };
  observation.latency.record(ns(seen.latency_ms), observation.answered);
  observation.service.record(ns(seen.service_ms), observation.answered);
  observation.mean_in_flight = seen.rate * seen.latency_ms / 1e3;
  return observation;
}

}  // namespace tachostat::govern

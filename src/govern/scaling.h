// How much more one server could carry, and how many there should be: for whoever starts and stops
// servers. This one only says it.
#pragma once

#include <optional>

#include "govern/govern.h"

namespace tachostat::govern {

// Of the load that a variant may carry; the rest is for what comes before another server is up.
inline constexpr double kReserve = 0.2;

// Requests per second at which the variant just holds the p99 target, by the same queue as the
// policies' (predict.h); without a target, 90 % of its capacity. 0: it was not measured, or holds
// the target under no load. `slowness`: how many times longer inferences take now than when it was
// proved.
double sustainable_rate(const verify::Point& point, const Targets& targets, double service_tail,
                        double slowness);

// From the best of the variants that `frontier` allows, on the machine as it is now. Nothing where
// none was measured yet.
std::optional<Scaling> scaling_of(const Observation& seen, const verify::Frontier& frontier,
                                  const Targets& targets, const std::string& serving);

}  // namespace tachostat::govern

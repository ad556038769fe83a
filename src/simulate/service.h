// How long simulated inferences take.
#pragma once

#include <vector>

#include "simulate/random.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

base::Duration median_service(const Service& service, std::int64_t batch);
// Mean ÷ median of the law.
double mean_factor(const Service& service);

// Thread-compatible.
class ServiceTimes {
 public:
  explicit ServiceTimes(const Service& service);
  // Seconds of one inference of `batch` requests.
  double draw(std::int64_t batch, Random& random) const;

 private:
  const Service& service_;
  std::vector<double> measured_;  // quantiles ÷ median, evenly spaced; empty: log-normal
};

}  // namespace tachostat::simulate

// Answers of one request plane, gathered into the pieces that Plant::observe() gives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "govern/govern.h"

namespace tachostat::govern {

// Thread-compatible.
class ObservedTraffic {
 public:
  // Since the request plane began; refused ones are among the arrivals, but for those that were
  // accepted and waited in vain.
  struct Totals {
    std::uint64_t arrivals = 0;
    std::uint64_t refused = 0;
    std::uint64_t hung = 0;
  };

  explicit ObservedTraffic(base::Time begin) { piece_.begin = begin; }

  // `batch`: requests in its inference.
  void answered(std::string_view variant, base::Duration latency, base::Duration service,
                int batch);
  void failed() { ++piece_.failed; }
  // Since the last call.
  Observation take(base::Time now, Totals totals);

 private:
  Observation piece_;
  double latency_seconds_ = 0;
  double batches_ = 0;  // summed over requests
  std::vector<std::pair<std::string, std::uint64_t>> variants_;
  Totals before_;
};

}  // namespace tachostat::govern

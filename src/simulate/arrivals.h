// When requests come, by one stream's law.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "simulate/random.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {

// Thread-compatible.
class ArrivalStream {
 public:
  virtual ~ArrivalStream() = default;
  // Since the scenario's begin, never descending; nothing: no more.
  virtual std::optional<base::Duration> next() = 0;
};

// Null for a closed loop, whose requests come when answers do. `arrivals` must outlive the stream.
std::unique_ptr<ArrivalStream> make_stream(const Arrivals& arrivals, base::Duration duration,
                                           Random random);

}  // namespace tachostat::simulate

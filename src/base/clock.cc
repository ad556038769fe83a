#include "base/clock.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tachostat::base {

std::string format_unix_time(std::chrono::nanoseconds since_epoch) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(since_epoch);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const std::time_t calendar = seconds.count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(calendar),
                     (milliseconds - seconds).count());
}

}  // namespace tachostat::base

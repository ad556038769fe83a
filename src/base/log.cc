#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/status.h"

namespace tachostat::base {

absl::Status start_logging(std::string_view level) {
  constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error", "off"};
  if (std::find(std::begin(kLevels), std::end(kLevels), level) == std::end(kLevels)) {
    return invalid_argument("log level '{}': expected debug, info, warn, error or off", level);
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("tachostat"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(spdlog::level::from_str(std::string(level)));
  return absl::OkStatus();
}

}  // namespace tachostat::base

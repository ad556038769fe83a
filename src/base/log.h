// Logging: spdlog, to stderr, one line an event, `key=value` after the message where there is data.
// Levels: debug (why), info (a decision or a state change), warn (degraded), error (something
// failed).
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

#include "absl/status/status.h"

namespace tachostat::base {

// "debug", "info", "warn", "error" or "off". Call once, from main().
absl::Status start_logging(std::string_view level);

}  // namespace tachostat::base

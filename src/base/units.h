// Quantities as people write them: 20ms, 2GiB, 1%, 15W. Parsers accept no bare number except 0, so
// that a unit is never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace tachostat::base {

absl::StatusOr<Duration> parse_duration(std::string_view text);   // ns us ms s m h; "1.5ms"
absl::StatusOr<std::uint64_t> parse_size(std::string_view text);  // B kB MB GB KiB MiB GiB
absl::StatusOr<double> parse_percent(std::string_view text);      // "1%" is 0.01
absl::StatusOr<double> parse_power_watts(std::string_view text);  // mW W kW

// Three significant figures with the unit that reads best: "12.3ms", "1.50GiB".
std::string format_duration(Duration value);
// Of any number: rounded, cut to what a duration holds; what is none is 0.
std::string format_nanoseconds(double value);
std::string format_size(double bytes);
std::string format_count(double value);  // "4.09G"

}  // namespace tachostat::base

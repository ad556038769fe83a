#include "base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/status.h"

namespace tachostat::base {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// Parses `<number><unit>`; a bare 0 needs no unit. `kind` and `example` are for the message only.
template <std::size_t n>
absl::StatusOr<double> parse_quantity(std::string_view text, const std::array<Unit, n>& units,
                                      std::string_view kind, std::string_view example) {
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (error == std::errc() && std::isfinite(number) && number >= 0) {
    if (unit.empty() && number == 0) return 0.0;
    for (const Unit& candidate : units) {
      if (unit == candidate.name) return number * candidate.factor;
    }
  }
  std::string names;
  for (const Unit& candidate : units) {
    if (!names.empty()) names += ", ";
    names += candidate.name;
  }
  return invalid_argument("'{}' is not a {}: expected a number and one of {}, e.g. {}", text, kind,
                          names, example);
}

constexpr std::array<Unit, 6> kDurations = {
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 7> kSizes = {{{"B", 1},
                                         {"kB", 1e3},
                                         {"MB", 1e6},
                                         {"GB", 1e9},
                                         {"KiB", 1024},
                                         {"MiB", 1024.0 * 1024},
                                         {"GiB", 1024.0 * 1024 * 1024}}};
constexpr std::array<Unit, 1> kPercents = {{{"%", 0.01}}};
constexpr std::array<Unit, 3> kPowers = {{{"mW", 1e-3}, {"W", 1}, {"kW", 1e3}}};

// Three significant figures without an exponent.
std::string three_figures(double value) {
  const double magnitude = std::fabs(value);
  return fmt::format("{:.{}f}", value, magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2);
}

}  // namespace

absl::StatusOr<Duration> parse_duration(std::string_view text) {
  TS_ASSIGN_OR_RETURN(const double value, parse_quantity(text, kDurations, "duration", "20ms"));
  if (value > 9e18) return invalid_argument("'{}' is too long: at most 292 years", text);
  return Duration(std::llround(value));
}

absl::StatusOr<std::uint64_t> parse_size(std::string_view text) {
  TS_ASSIGN_OR_RETURN(const double value, parse_quantity(text, kSizes, "size", "2GiB"));
  if (value > 9e18) return invalid_argument("'{}' is too large: at most 8 EiB", text);
  return static_cast<std::uint64_t>(std::llround(value));
}

absl::StatusOr<double> parse_percent(std::string_view text) {
  return parse_quantity(text, kPercents, "percentage", "1%");
}

absl::StatusOr<double> parse_power_watts(std::string_view text) {
  return parse_quantity(text, kPowers, "power", "15W");
}

std::string format_duration(Duration value) {
  const auto ns = static_cast<double>(value.count());
  const double magnitude = std::fabs(ns);
  if (magnitude < 1e3) return fmt::format("{}ns", value.count());
  if (magnitude < 1e6) return three_figures(ns / 1e3) + "us";
  if (magnitude < 1e9) return three_figures(ns / 1e6) + "ms";
  return three_figures(ns / 1e9) + "s";
}

std::string format_nanoseconds(double value) {
  constexpr double kMost = 9e18;
  const double sane = std::isnan(value) ? 0 : std::clamp(value, -kMost, kMost);
  return format_duration(Duration(std::llround(sane)));
}

std::string format_size(double bytes) {
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t i = 0;
  while (bytes >= 1024 && i + 1 < kNames.size()) {
    bytes /= 1024;
    ++i;
  }
  return (i == 0 ? fmt::format("{:.0f}", bytes) : three_figures(bytes)) + std::string(kNames[i]);
}

std::string format_count(double value) {
  constexpr std::array<std::string_view, 5> kNames = {"", "k", "M", "G", "T"};
  std::size_t i = 0;
  while (std::fabs(value) >= 1000 && i + 1 < kNames.size()) {
    value /= 1000;
    ++i;
  }
  return (i == 0 ? fmt::format("{:.0f}", value) : three_figures(value)) + std::string(kNames[i]);
}

}  // namespace tachostat::base

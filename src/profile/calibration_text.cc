#include <fmt/format.h>

#include <cmath>

#include "base/units.h"
#include "profile/calibration.h"

namespace tachostat::profile {
namespace {

std::string amount(const Figure& figure, double value) {
  if (figure.unit == "s") return base::format_duration(base::from_seconds(value));
  return base::format_count(value) + figure.unit;
}

// Half the distance between the quartiles, as a share of the median.
std::string spread(const Figure& figure) {
  if (figure.median <= 0) return "";
  return fmt::format("±{:.1f} %", 50 * (figure.high - figure.low) / figure.median);
}

// Of the best repeat: others are slower because of what else ran.
std::string against_theory(const Figure& figure) {
  if (figure.theory <= 0) return figure.basis;
  return fmt::format("{:.0f} % of {}: {}", 100 * figure.best / figure.theory,
                     amount(figure, figure.theory), figure.basis);
}

}  // namespace

std::string to_text(const Calibration& calibration) {
  std::string text =
      fmt::format("calibrated {}, in {:.1f} s\n", calibration.taken, calibration.seconds);
  std::string group;
  for (const char* wanted : {"clock", "compute", "bandwidth", "latency"}) {
    for (const Figure& figure : calibration.figures) {
      if (figure.group != wanted) continue;
      if (group != wanted) text += fmt::format("{}\n", group = wanted);
      text +=
          fmt::format("  {:<9} {:<18} {:>3} {:<7}  {:>12}  {:>8}  best {:>12}", figure.what,
                      figure.how, figure.threads, figure.threads == 1 ? "thread" : "threads",
                      amount(figure, figure.median), spread(figure), amount(figure, figure.best));
      const std::string theory = against_theory(figure);
      text += theory.empty() ? "\n" : fmt::format("  {}\n", theory);
    }
  }
  return text;
}

}  // namespace tachostat::profile

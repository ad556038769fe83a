// What is not as it was: needs a baseline.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/status.h"
#include "diagnose/case.h"

namespace tachostat::diagnose {
namespace {

// Shapes of requests by their shares: readings "shape/…".
std::map<std::string_view, double> shapes_of(const profile::Profile& profile, std::uint64_t& n) {
  std::map<std::string_view, double> shapes;
  for (const auto& [name, reading] : profile.readings) {
    if (!name.starts_with("shape/")) continue;
    shapes[std::string_view(name).substr(6)] = reading.mean;
    n = std::max(n, reading.n);
  }
  return shapes;
}

std::vector<Finding> find_shape_drift(const Case& c) {
  constexpr double kFar = 0.2;
  constexpr std::uint64_t kEnough = 50;
  if (c.baseline() == nullptr) return {};
  std::uint64_t n_now = 0;
  std::uint64_t n_then = 0;
  const auto now = shapes_of(c.profile(), n_now);
  const auto then = shapes_of(*c.baseline(), n_then);
  if (n_now < kEnough || n_then < kEnough) return {};
  std::set<std::string_view> all;
  for (const auto& [shape, share] : now) all.insert(shape);
  for (const auto& [shape, share] : then) all.insert(shape);
  double distance = 0;
  std::string_view grown;
  double growth = 0;
  for (const std::string_view shape : all) {
    const auto a = now.find(shape);
    const auto b = then.find(shape);
    const double more = (a == now.end() ? 0 : a->second) - (b == then.end() ? 0 : b->second);
    distance += std::abs(more) / 2;
    if (more > growth) {
      growth = more;
      grown = shape;
    }
  }
  if (distance < kFar) return {};
  Finding finding = Case::about("shape-drift", distance, 0, 0.3, Objective::kLatency);
  finding.summary = fmt::format(
      "{} of requests have other shapes than in the baseline; {} has grown by {} of all: variants "
      "and batches were chosen for the old ones",
      percent(distance), grown, percent(growth));
  finding.evidence = {{"shapes that moved", distance, "share", n_now}};
  finding.remedies = {Remedy::kShapeBuckets, Remedy::kStaticShapes};
  finding.confidence = 0.9;
  finding.alarm = true;
  return {std::move(finding)};
}

std::vector<Finding> find_value_drift(const Case& c) {
  constexpr double kFar = 0.5;  // of the baseline's standard deviation
  constexpr double kWider = 1.5;
  constexpr std::uint64_t kEnough = 30;
  if (c.baseline() == nullptr) return {};
  Finding finding = Case::about("value-drift", 0, 0, 0, Objective::kLatency);
  for (const auto& [name, mean] : c.profile().readings) {
    if (!name.starts_with("input/") || !name.ends_with("/mean")) continue;
    const std::string input = name.substr(6, name.size() - 6 - 5);
    const std::string spread_name = "input/" + input + "/deviation";
    const auto& then = c.baseline()->readings;
    const auto old_mean = then.find(name);
    const auto old_spread = then.find(spread_name);
    if (old_mean == then.end() || old_spread == then.end()) continue;
    if (mean.n < kEnough || old_mean->second.n < kEnough || old_spread->second.mean <= 0) continue;
    const double moved = std::abs(mean.mean - old_mean->second.mean) / old_spread->second.mean;
    const double wider =
        c.reading_or(spread_name, old_spread->second.mean) / old_spread->second.mean;
    if (moved < kFar && wider < kWider && wider > 1 / kWider) continue;
    finding.evidence.emplace_back(fmt::format("mean of '{}'", input), mean.mean, "", mean.n);
    finding.evidence.emplace_back(fmt::format("mean of '{}' in the baseline", input),
                                  old_mean->second.mean, "", old_mean->second.n);
    if (!finding.summary.empty()) continue;
    finding.summary = fmt::format(
        "values of input '{}' have moved by {:.2f} of their old standard deviation and spread "
        "{:.2f} times as far: ranges that were calibrated for the old ones may cut them off",
        input, moved, wider);
  }
  if (finding.evidence.empty()) return {};
  finding.remedies = {Remedy::kRecalibrate};
  finding.confidence = 0.8;
  finding.alarm = true;
  return {std::move(finding)};
}

constexpr std::array<Rule, 2> kRules = {{
    {"shape-drift", "shares of requests' shapes against the baseline's (`shape/…`)",
     "a fifth of requests moved (total variation distance), 50 requests each",
     "shape-buckets, static-shapes", "nothing to 30 % of that share", "total variation distance",
     find_shape_drift},
    {"value-drift", "mean and standard deviation of inputs against the baseline's (`input/NAME/…`)",
     "the mean moved by half a standard deviation, or that changed 1.5 times; 30 requests each",
     "recalibrate", "none promised: it is an alarm", "standardised mean difference",
     find_value_drift},
}};

}  // namespace

std::span<const Rule> change_rules() { return kRules; }

}  // namespace tachostat::diagnose

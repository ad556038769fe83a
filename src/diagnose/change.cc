// What is not as it was: needs a baseline.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/status.h"
#include "diagnose/case.h"
#include "profile/change_point.h"
#include "profile/compare.h"

namespace tachostat::diagnose {
namespace {

std::vector<Finding> find_regression(const Case& c) {
  constexpr double kLeastShare = 0.01;
  if (c.baseline() == nullptr || !c.enough_requests()) return {};
  const std::array<profile::RunView, 1> base = {{{"baseline", c.baseline()}}};
  const std::array<profile::RunView, 1> head = {{{"profile", &c.profile()}}};
  const auto compared = profile::compare(base, head, {.least_share = kLeastShare});
  if (!compared.ok() || !compared->regressed()) return {};
  std::unordered_map<std::string_view, int> places;
  for (const LayerFacts& layer : c.layers()) places.emplace(layer.profile->name, layer.index);
  std::vector<Cut> cuts;
  std::string since;
  double times = 1;
  for (const profile::Compared& one : compared->layers) {
    const auto place = places.find(one.name);
    if (one.change != profile::Change::kSlower || place == places.end()) continue;
    const double cut = 1 - 1 / std::max(1.0, one.absolute.value);
    if (cuts.empty()) times = one.absolute.value;
    cuts.push_back({place->second, 0.5 * cut, cut});
    if (one.since && since.empty()) {
      since =
          fmt::format("; it began at {} of the time that was profiled",
                      percent(static_cast<double>(one.since->slice) /
                              static_cast<double>(std::max<std::size_t>(1, one.since->slices))));
    }
  }
  const std::vector<int> layers = layers_of(cuts);
  const profile::Compared& total = compared->total;
  const double slower = std::max(0.0, 1 - 1 / total.absolute.value);
  Finding finding = cuts.empty()
                        ? Case::about("regression", 1, 0.5 * slower, slower, Objective::kLatency)
                        : c.about("regression", cuts);
  finding.summary =
      cuts.empty()
          ? fmt::format("requests take {:.3f} times as long as in the baseline, all layers alike",
                        total.absolute.value)
          : fmt::format("{} layers are slower than in the baseline, '{}' {:.2f} times{}",
                        layers.size(), c.layer(layers[0]).profile->name, times, since);
  finding.evidence = {{"request time ÷ the baseline's", total.absolute.value, "", c.requests()}};
  finding.evidence[0].low = total.absolute.low;
  finding.evidence[0].high = total.absolute.high;
  if (!layers.empty()) finding.evidence.push_back(c.time_of("time of the layers", layers));
  finding.remedies = {Remedy::kGoBack};
  finding.confidence = 0.7;
  finding.alarm = true;
  return {std::move(finding)};
}

std::vector<double> means_of(const std::vector<profile::Slice>& slices) {
  std::vector<double> means;
  for (const profile::Slice& slice : slices) {
    if (slice.count > 0) means.push_back(slice.mean_ns());
  }
  return means;
}

// Without a baseline: the profiled time itself has a before and an after.
std::vector<Finding> find_slower_since(const Case& c) {
  constexpr std::size_t kLeastSlices = 16;
  constexpr double kSlower = 1.15;
  constexpr double kSure = 0.01;
  const std::vector<double> means = means_of(c.profile().slices);
  if (!c.enough_requests() || means.size() < kLeastSlices) return {};
  const auto change = profile::find_change_point(means);
  if (!change || change->p > kSure || change->after < kSlower * change->before) return {};
  std::vector<Cut> cuts;
  for (const LayerFacts& layer : c.layers()) {
    const std::vector<double> own = means_of(layer.profile->slices);
    if (!layer.counts || own.size() != means.size()) continue;
    const auto middle = own.begin() + static_cast<long>(change->index);
    const double before =
        std::accumulate(own.begin(), middle, 0.0) / static_cast<double>(change->index);
    const double after =
        std::accumulate(middle, own.end(), 0.0) / static_cast<double>(own.size() - change->index);
    if (after < kSlower * before) continue;
    // Of all its time in the profile, only what came after can be had back.
    const double part =
        static_cast<double>(own.size() - change->index) / static_cast<double>(own.size());
    const double cut = part * (after - before) / std::max(1.0, layer.profile->time.mean());
    cuts.push_back({layer.index, 0.3 * cut, cut});
  }
  Finding finding = c.about("slower-since", cuts);
  finding.summary = fmt::format(
      "requests became {:.2f} times as slow at {} of the time that was profiled, in {} layers",
      change->after / change->before,
      percent(static_cast<double>(change->index) / static_cast<double>(means.size())), cuts.size());
  finding.evidence = {{"time of a request before", change->before, "ns", c.requests()},
                      {"time of a request after", change->after, "ns", c.requests()},
                      {"chance without a change", change->p, "", means.size()}};
  finding.remedies = {Remedy::kNeighbours, Remedy::kGoBack};
  finding.confidence = 0.7;
  finding.alarm = true;
  return {std::move(finding)};
}

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

constexpr std::array<Rule, 4> kRules = {{
    {"regression",
     "request time and each layer's against the baseline's, as `tachostat compare` does",
     "3 % slower and sure (1 % for all layers together), layers of 1 % of request time", "go-back",
     "the difference; at least half of it", "docs/design/compare.md", find_regression},
    {"slower-since", "the profile's own slices: a single step in request time",
     "1.15 times as slow after it, 1 % chance without one, 16 slices", "neighbours, go-back",
     "what came with the step; at least 30 % of it", "docs/design/compare.md, change point",
     find_slower_since},
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

#include "app/optimize/promises.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "optimize/quantise/local_cost.h"

namespace tachostat::app {
namespace {

using diagnose::Remedy;

bool has_quantisers(const model::Recipe& recipe) {
  const auto steps = recipe.steps();
  return std::any_of(steps.begin(), steps.end(),
                     [](const model::Recipe::Step& step) { return step.pass == "quantise"; });
}

bool same_execution(const model::Variant& a, const model::Variant& b) {
  return a.streams == b.streams && a.threads == b.threads && a.pinning == b.pinning &&
         a.shapes == b.shapes;
}

// The change from one way to another: whether it is the remedy's, and nothing else's.
bool is_change(Remedy::Kind remedy, diagnose::Objective objective, const model::Variant& from,
               const model::Variant& to) {
  const bool same_network = from.recipe == to.recipe && from.precision == to.precision;
  switch (remedy) {
    case Remedy::kStaticShapes:
      return same_network && from.shapes.empty() && !to.shapes.empty() && from.streams == to.streams;
    case Remedy::kThreadsAndStreams:
      if (!same_network || from.shapes != to.shapes || from.pinning != to.pinning) return false;
      return objective == diagnose::Objective::kThroughput
                 ? from.streams == 1 && to.streams != 1
                 : to.streams == 1 && to.threads > 0 && to.threads < from.threads;
    case Remedy::kPinning:
      return same_network && from.pinning != to.pinning && from.streams == to.streams &&
             from.threads == to.threads && from.shapes == to.shapes;
    case Remedy::kLowerPrecision:
      return from.precision != to.precision && from.recipe == to.recipe && same_execution(from, to);
    case Remedy::kQuantise:
    case Remedy::kPlaceQuantisers:
      return !has_quantisers(from.recipe) && has_quantisers(to.recipe) && same_execution(from, to);
    case Remedy::kFuse:
    case Remedy::kKeepLayout:
    case Remedy::kReplaceOperator:
    case Remedy::kFoldConstants:
      return from.recipe.empty() && !to.recipe.empty() && !has_quantisers(to.recipe) &&
             same_execution(from, to);
    default:
      return false;
  }
}

struct Answer {
  std::size_t from = 0, to = 0;
  friend bool operator==(const Answer&, const Answer&) = default;
};

const std::vector<double>& times_of(const Ran& ran, diagnose::Objective objective) {
  return objective == diagnose::Objective::kThroughput ? ran.saturated_ms : ran.latency_ms;
}

double median_time(const Ran& ran, diagnose::Objective objective) {
  return optimize::median_of(times_of(ran, objective));
}

// The fastest that the remedy leads to, from the fastest that it can start at.
std::optional<Answer> answer_to(const std::vector<Remedy>& remedies,
                                diagnose::Objective objective, const std::vector<Ran>& ran,
                                std::string& remedy) {
  std::optional<Answer> best;
  const auto faster = [&](std::size_t a, std::size_t b) {
    return median_time(ran[a], objective) < median_time(ran[b], objective);
  };
  for (const Remedy& one : remedies) {
    for (std::size_t from = 0; from < ran.size(); ++from) {
      for (std::size_t to = 0; to < ran.size(); ++to) {
        if (times_of(ran[from], objective).empty() || times_of(ran[to], objective).empty()) continue;
        if (!is_change(one.kind, objective, ran[from].variant, ran[to].variant)) continue;
        const bool better = !best || faster(to, best->to) ||
                            (to == best->to && faster(from, best->from));
        if (better) best = Answer{from, to};
      }
    }
    if (!best) continue;
    remedy = diagnose::name_of(one.kind);
    return best;
  }
  return std::nullopt;
}

void note_measured(Promise& promise, const Answer& answer, diagnose::Objective objective,
                   const std::vector<Ran>& ran, std::size_t usual) {
  const Ran& from = ran[answer.from];
  const Ran& to = ran[answer.to];
  promise.against = from.name;
  promise.tried = to.name;
  const Ratio ratio = ratio_of(times_of(from, objective), times_of(to, objective), 1);
  // The findings' shares are of the default's time; an earlier remedy may have cut that already.
  const double whole = median_time(ran[usual], objective);
  const double scale = whole > 0 ? median_time(from, objective) / whole : 1;
  promise.gain = (1 - ratio.value) * scale;
  promise.gain_low = (1 - ratio.high) * scale;
  promise.gain_high = (1 - ratio.low) * scale;
  if (!std::isfinite(ratio.high)) return;  // too few rounds to tell
  promise.verdict = promise.gain_high < promise.promised_low   ? Promise::Verdict::kLess
                    : promise.gain_low > promise.promised_high ? Promise::Verdict::kMore
                                                               : Promise::Verdict::kHeld;
}

struct Shared {
  Promise promise = {};
  std::optional<Answer> answer = {};
  diagnose::Objective objective = diagnose::Objective::kLatency;
};

}  // namespace

std::string_view name_of(Promise::Verdict verdict) {
  switch (verdict) {
    case Promise::Verdict::kHeld:
      return "held";
    case Promise::Verdict::kLess:
      return "less";
    case Promise::Verdict::kMore:
      return "more";
    case Promise::Verdict::kOpen:
      return "open";
  }
  return "open";
}

std::vector<Promise> weigh(const std::vector<diagnose::Finding>& findings,
                           const std::vector<Ran>& ran, std::size_t usual) {
  std::vector<Shared> all;
  for (const diagnose::Finding& finding : findings) {
    if (finding.gain_high <= 0 || finding.remedies.empty()) continue;
    std::string remedy(diagnose::name_of(finding.remedies[0].kind));
    const auto answer = answer_to(finding.remedies, finding.objective, ran, remedy);
    auto shared = std::find_if(all.begin(), all.end(), [&](const Shared& one) {
      return one.promise.remedy == remedy && one.objective == finding.objective &&
             one.answer == answer;
    });
    if (shared == all.end()) {
      all.push_back({.answer = answer, .objective = finding.objective});
      shared = all.end() - 1;
      shared->promise.remedy = remedy;
      shared->promise.objective = diagnose::name_of(finding.objective);
      shared->promise.summary = finding.summary;
    }
    shared->promise.rules.push_back(finding.rule);
    shared->promise.promised_low += finding.gain_low;
    shared->promise.promised_high += finding.gain_high;
  }
  std::vector<Promise> promises;
  for (Shared& one : all) {
    if (one.answer) note_measured(one.promise, *one.answer, one.objective, ran, usual);
    promises.push_back(std::move(one.promise));
  }
  std::stable_sort(promises.begin(), promises.end(), [](const Promise& a, const Promise& b) {
    return a.promised_low + a.promised_high > b.promised_low + b.promised_high;
  });
  return promises;
}

}  // namespace tachostat::app

#include "app/optimize/promises.h"

#include <algorithm>
#include <optional>

#include "optimize/quantise/local_cost.h"

namespace tachostat::app {
namespace {

using diagnose::Remedy;

bool has_pass(const model::Recipe& recipe, std::string_view pass) {
  const auto steps = recipe.steps();
  return std::any_of(steps.begin(), steps.end(),
                     [pass](const model::Recipe::Step& step) { return step.pass == pass; });
}

bool has_quantisers(const model::Recipe& recipe) { return has_pass(recipe, "quantise"); }
bool has_kernels(const model::Recipe& recipe) { return has_pass(recipe, "kernel"); }

bool holds(const model::Recipe& recipe, const model::Recipe::Step& step) {
  const auto steps = recipe.steps();
  return std::any_of(steps.begin(), steps.end(), [&step](const model::Recipe::Step& one) {
    return one.pass == step.pass && one.arguments == step.arguments;
  });
}

// All that `part` does is done by `whole` too.
bool contains(const model::Recipe& whole, const model::Recipe& part) {
  const auto steps = part.steps();
  return std::all_of(steps.begin(), steps.end(),
                     [&whole](const model::Recipe::Step& step) { return holds(whole, step); });
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
      return same_network && from.shapes.empty() && !to.shapes.empty() &&
             from.streams == to.streams;
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
      return !has_quantisers(from.recipe) && has_quantisers(to.recipe) &&
             !has_kernels(from.recipe) && contains(to.recipe, from.recipe) &&
             same_execution(from, to);
    case Remedy::kFuse:
    case Remedy::kKeepLayout:
    case Remedy::kReplaceOperator:
    case Remedy::kFoldConstants:
      return from.recipe.empty() && !to.recipe.empty() && !has_quantisers(to.recipe) &&
             !has_kernels(to.recipe) && same_execution(from, to);
    case Remedy::kKernel:
      return !has_kernels(from.recipe) && has_kernels(to.recipe) &&
             has_quantisers(from.recipe) == has_quantisers(to.recipe) &&
             contains(to.recipe, from.recipe) && same_execution(from, to);
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

struct Question {
  const std::vector<Remedy>& remedies;
  diagnose::Objective objective;
  const std::vector<Ran>& ran;
};

// From the way that is least changed otherwise (outcomes come in that order), or, to quantisers,
// from the one that shares most of what else is done to the network; to the fastest.
bool is_better(const Question& question, const Answer& a, const Answer& b) {
  const auto shared = [&](const Answer& answer) {
    const bool quantises = has_quantisers(question.ran[answer.to].variant.recipe);
    return quantises ? question.ran[answer.from].variant.recipe.steps().size() : 0;
  };
  if (shared(a) != shared(b)) return shared(a) > shared(b);
  if (a.from != b.from) return a.from < b.from;
  return median_time(question.ran[a.to], question.objective) <
         median_time(question.ran[b.to], question.objective);
}

std::optional<Answer> answer_by(Remedy::Kind remedy, const Question& question) {
  const std::vector<Ran>& ran = question.ran;
  std::optional<Answer> best;
  for (std::size_t from = 0; from < ran.size(); ++from) {
    if (times_of(ran[from], question.objective).empty()) continue;
    for (std::size_t to = 0; to < ran.size(); ++to) {
      if (times_of(ran[to], question.objective).empty()) continue;
      if (!is_change(remedy, question.objective, ran[from].variant, ran[to].variant)) continue;
      const Answer answer{from, to};
      if (!best || is_better(question, answer, *best)) best = answer;
    }
  }
  return best;
}

// By the first remedy that has one, which is then named.
std::optional<Answer> answer_to(const Question& question, std::string& remedy) {
  for (const Remedy& one : question.remedies) {
    const auto answer = answer_by(one.kind, question);
    if (!answer) continue;
    remedy = diagnose::name_of(one.kind);
    return answer;
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
  // What reaches beyond the promise on both sides says nothing of it.
  const bool tells =
      promise.gain_low > promise.promised_low || promise.gain_high < promise.promised_high;
  if (!tells) return;
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
    const auto answer = answer_to({finding.remedies, finding.objective, ran}, remedy);
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

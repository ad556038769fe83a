#include "app/optimize/acceptance.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/units.h"

namespace tachostat::app {
namespace {

void refuse(Outcome& outcome, std::string sentence) {
  if (outcome.verdict == Outcome::Verdict::kBaseline) return;
  outcome.verdict = Outcome::Verdict::kRefused;
  outcome.sentence = std::move(sentence);
}

}  // namespace

void refuse_inaccurate(OptimizeResult& result) {
  for (Outcome& outcome : result.outcomes) {
    if (outcome.non_finite > 0) {
      refuse(outcome, fmt::format("NaN or infinity in {} samples", outcome.non_finite));
    } else if (outcome.selection.mean > result.max_drop) {
      refuse(outcome, fmt::format("not accurate: {} drops by {:.2f} % on {} samples, allowed {} %",
                                  result.metric, outcome.selection.mean * 100,
                                  outcome.selection.samples, result.max_drop * 100));
    }
  }
}

void refuse_too_large(OptimizeResult& result) {
  if (result.memory_limit == 0) return;
  for (Outcome& outcome : result.outcomes) {
    if (outcome.verdict != Outcome::Verdict::kVerified) continue;
    if (outcome.memory_bytes <= result.memory_limit) continue;
    refuse(outcome, fmt::format("too large: it holds {}, allowed {}",
                                base::format_size(static_cast<double>(outcome.memory_bytes)),
                                base::format_size(static_cast<double>(result.memory_limit))));
  }
}

void refuse_unproved(OptimizeResult& result) {
  std::vector<Outcome*> order;
  for (Outcome& outcome : result.outcomes) {
    if (outcome.verdict == Outcome::Verdict::kVerified) order.push_back(&outcome);
  }
  std::stable_sort(order.begin(), order.end(), [](const Outcome* a, const Outcome* b) {
    return a->selection.bound < b->selection.bound;
  });
  const Outcome* failed = nullptr;
  for (Outcome* const outcome : order) {
    const bool proved = outcome->report.bound <= result.max_drop;
    if (proved && failed == nullptr) continue;
    if (proved) {
      refuse(*outcome,
             fmt::format("not proved accurate: it was to be proved after '{}', and that was not",
                         failed->name));
      continue;
    }
    if (failed == nullptr) failed = outcome;
    refuse(*outcome,
           fmt::format("not proved accurate: {} drops by {:.2f} % on {} held-out samples, but by "
                       "up to {:.2f} % at 95 %, allowed {} %",
                       result.metric, outcome->report.mean * 100, outcome->report.samples,
                       outcome->report.bound * 100, result.max_drop * 100));
  }
}

}  // namespace tachostat::app

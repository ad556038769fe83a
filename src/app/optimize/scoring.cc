#include "app/optimize/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/status.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Recipe and precision decide what is computed; threads and streams don't. Shapes should not, but
// OpenVINO 2026.4 gave other values for integer kernels of open shapes than of fixed ones.
bool same_arithmetic(const model::Variant& a, const model::Variant& b) {
  return a.recipe == b.recipe && a.precision == b.precision &&
         (a.recipe.empty() || a.shapes == b.shapes);
}

}  // namespace

absl::StatusOr<Scores> Scoring::scores_of(std::span<const model::Variant> variants,
                                          std::span<const std::size_t> samples,
                                          std::string_view stage) {
  std::string what = fmt::format("scores {} {}", stage, samples.size());
  for (const model::Variant& variant : variants) {
    what += fmt::format("\n{} {}", variant.id(), variant.recipe.hash());
  }
  const auto make = [&]() -> absl::StatusOr<std::string> {
    const auto go_on = [&](std::size_t done) {
      return !progress_ ||
             progress_(stage, static_cast<double>(done) / static_cast<double>(samples.size()));
    };
    TS_ASSIGN_OR_RETURN(const Scores scores, judge(court_, variants, samples, go_on));
    return Json{{"reference", scores.reference},
                {"candidates", scores.candidates},
                {"non_finite", scores.non_finite},
                {"same", scores.same}}
        .dump();
  };
  TS_ASSIGN_OR_RETURN(const std::string text, journal_.once(what, make));
  const Json json = Json::parse(text);
  return Scores{json["reference"], json["candidates"], json["non_finite"], json["same"]};
}

absl::StatusOr<std::vector<double>> Scoring::drops_of(std::span<const model::Variant> variants,
                                                      std::span<const std::size_t> samples,
                                                      std::string_view stage) {
  TS_ASSIGN_OR_RETURN(const Scores scores, scores_of(variants, samples, stage));
  std::vector<double> drops;
  for (const std::vector<double>& candidate : scores.candidates) {
    drops.push_back(mean(scores.reference) - mean(candidate));
  }
  return drops;
}

bool Scoring::is_reference(const model::Variant& variant) const {
  return same_arithmetic(variant, court_.reference);
}

absl::StatusOr<double> Scoring::judge_all(std::vector<Outcome>& outcomes,
                                          std::span<const std::size_t> samples,
                                          std::string_view stage, verify::Drop Outcome::*drop,
                                          double max_drop) {
  std::vector<model::Variant> variants;
  for (const Outcome& outcome : outcomes) {
    const bool seen = std::any_of(variants.begin(), variants.end(), [&outcome](const auto& other) {
      return same_arithmetic(other, outcome.variant);
    });
    const bool refused = outcome.verdict == Outcome::Verdict::kRefused;
    if (!seen && !refused && !is_reference(outcome.variant)) variants.push_back(outcome.variant);
  }
  TS_ASSIGN_OR_RETURN(const Scores scores, scores_of(variants, samples, stage));
  for (std::size_t k = 0; k < variants.size(); ++k) {
    TS_ASSIGN_OR_RETURN(verify::Drop found,
                        verify::paired_drop(scores.reference, scores.candidates[k]));
    // No sample could tell it from the reference: there is nothing to prove.
    if (scores.same[k]) found.bound = 0;
    const auto needed = verify::samples_needed(scores.reference, scores.candidates[k], max_drop);
    for (Outcome& outcome : outcomes) {
      if (!same_arithmetic(outcome.variant, variants[k])) continue;
      outcome.*drop = found;
      outcome.samples_needed = needed;
      outcome.non_finite += scores.non_finite[k];
    }
  }
  for (Outcome& outcome : outcomes) {
    if (is_reference(outcome.variant)) outcome.*drop = {samples.size(), 0, 0};
  }
  return mean(scores.reference);
}

}  // namespace tachostat::app

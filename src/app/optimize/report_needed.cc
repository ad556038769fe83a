// What stands between what was tried and what was asked for.
#include <fmt/format.h>

#include "app/optimize/report_parts.h"
#include "verify/metrics/drop.h"

namespace tachostat::app {
namespace {

// Half of the data is the report's (verify::Splits).
constexpr std::size_t kDataPerReportSample = 2;

std::string item(const Outcome& outcome, const std::string& rest) {
  return fmt::format("<li><b>{}</b> {}</li>", escape(outcome.name), rest);
}

std::string accuracy_need(const OptimizeResult& result, const Outcome& outcome) {
  const verify::Drop& drop = outcome.report;
  if (outcome.non_finite > 0) return item(outcome, "gives NaN or infinity: it overflows there.");
  if (drop.samples == 0 || drop.bound <= result.max_drop) return "";
  if (!outcome.samples_needed) {
    return item(outcome, fmt::format("drops by {} on average, more than the {} allowed: more data "
                                     "will not prove it, its sensitive layers must stay in f32.",
                                     percent(drop.mean), percent(result.max_drop)));
  }
  return item(
      outcome,
      fmt::format("drops by {} on average, and {} samples prove only that it is at most "
                  "{}. About {} samples in all would prove {}, if they drop as these do.",
                  percent(drop.mean), drop.samples, percent(drop.bound),
                  *outcome.samples_needed * kDataPerReportSample, percent(result.max_drop)));
}

std::string speed_need(const OptimizeResult& result, const Outcome& outcome) {
  const Ratio& ratio = asked_ratio(result, outcome);
  if (!stands(outcome) || ratio.value >= 1 || ratio.faster) return "";
  return item(outcome,
              fmt::format("looks {} {} as the best default, but after {} rounds the interval still "
                          "reaches to {}: a quieter machine or more rounds may prove it.",
                          times_faster(ratio.value), better_by(result.objective), ratio.rounds,
                          times_faster(ratio.high)));
}

// Even what never differs needs so many samples.
std::string data_need(const OptimizeResult& result) {
  const auto least = verify::samples_needed({}, {}, result.max_drop);
  if (!least || *least <= result.report_samples) return "";
  return fmt::format(
      "<li>{} report samples cannot prove a drop of at most {}, not even of a variant that never "
      "differs: that takes about {} samples in all.</li>",
      result.report_samples, percent(result.max_drop), *least * kDataPerReportSample);
}

std::string best_try(const OptimizeResult& result) {
  const Outcome* best = nullptr;
  for (const Outcome& outcome : result.outcomes) {
    if (outcome.verdict == Outcome::Verdict::kBaseline || !(outcome.service_ms > 0)) continue;
    const bool better =
        best == nullptr || asked_ratio(result, outcome).value < asked_ratio(result, *best).value;
    if (better) best = &outcome;
  }
  if (best == nullptr) return "<p>Nothing but the defaults came as far as a race.</p>";
  return fmt::format("<p>The best try was <b>{}</b>: {} {} as the best default, {}.</p>",
                     escape(best->name), times_faster(asked_ratio(result, *best).value),
                     better_by(result.objective),
                     best->verdict == Outcome::Verdict::kRefused ? "but refused" : "not for sure");
}

}  // namespace

std::string needed_section(const OptimizeResult& result) {
  std::string items = data_need(result);
  for (const Outcome& outcome : result.outcomes) {
    if (outcome.verdict == Outcome::Verdict::kBaseline) continue;
    items += accuracy_need(result, outcome);
    if (result.chosen < 0) items += speed_need(result, outcome);
  }
  if (result.chosen >= 0 && items.empty()) return "";
  std::string html = result.chosen >= 0 ? "<h2>What would be needed for more</h2>"
                                        : "<h2>What would be needed</h2>" + best_try(result);
  if (!items.empty()) html += "<ul>" + items + "</ul>";
  if (result.chosen < 0 && !result.before.layers.empty()) {
    html += "<p>The layers that take the time are listed under “What remains”.</p>";
  }
  return html;
}

}  // namespace tachostat::app

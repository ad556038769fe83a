#include "profile/compare_words.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "base/units.h"

namespace tachostat::profile {

std::string change_text(double ratio) {
  return std::isfinite(ratio) ? fmt::format("{:+.1f}%", (ratio - 1) * 100) : "-";
}

std::string interval_text(const Ratio& ratio) {
  return change_text(ratio.low) + " to " + change_text(ratio.high);
}

std::string probability_text(double p) {
  constexpr double kShown = 0.0001;
  return p < kShown ? "p < 0.0001" : fmt::format("p {:.2g}", p);
}

std::string percent_text(double share) { return fmt::format("{:.3g}%", share * 100); }

std::string verdict_text(const Comparison& whole) {
  const auto slower =
      std::count_if(whole.layers.begin(), whole.layers.end(),
                    [](const Compared& layer) { return layer.change == Change::kSlower; });
  const std::string over = percent_text(whole.options.fail_over);
  if (!whole.regressed()) {
    return fmt::format("no regression: nothing is slower by more than {} at alpha {}", over,
                       percent_text(whole.options.alpha));
  }
  std::string what;
  if (whole.total.change == Change::kSlower) what = "the total";
  if (slower > 0) {
    what +=
        fmt::format("{}{} layer{}", what.empty() ? "" : " and ", slower, slower == 1 ? "" : "s");
  }
  const bool one = slower + (whole.total.change == Change::kSlower ? 1 : 0) == 1;
  return fmt::format("regression: {} {} slower by more than {} at alpha {}", what,
                     one ? "is" : "are", over, percent_text(whole.options.alpha));
}

std::string side_text(const ComparedSide& side) {
  std::string text = fmt::format("{} as {}", side.model, side.variant);
  if (!side.bucket.empty()) text += fmt::format(", requests of {}", side.bucket);
  return text + fmt::format("; {} run{}, {} requests", side.runs, side.runs == 1 ? "" : "s",
                            side.requests);
}

std::string change_word(const Compared& row) {
  switch (row.change) {
    case Change::kSlower:
      return row.with_total ? "slower, with everything else" : "slower";
    case Change::kFaster:
      return "faster";
    case Change::kSame:
      break;
  }
  return "no change";
}

std::string since_text(const Compared& row) {
  if (!row.since) return "";
  const ChangeInRun& since = *row.since;
  return fmt::format("it changed inside HEAD's run {}, at slice {} of {}: {} ({})", since.run + 1,
                     since.slice + 1, since.slices, change_text(since.ratio),
                     probability_text(since.p));
}

std::string rest_text(const Comparison& whole) {
  const auto changed =
      std::count_if(whole.layers.begin(), whole.layers.end(),
                    [](const Compared& layer) { return layer.change != Change::kSame; });
  std::string text = fmt::format("{} of {} tested layers changed", changed, whole.layers.size());
  if (whole.untested > 0) {
    text += fmt::format("; {} hold under {} each and were not tested", whole.untested,
                        percent_text(whole.options.least_share));
  }
  return text;
}

}  // namespace tachostat::profile

// The result for a terminal of 100 columns.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/optimize/report_parts.h"
#include "base/utf8.h"

namespace tachostat::app {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kNameColumns = 41;

// Lines of whole words, each after `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t used = 0;  // columns of the line, 0: a new one
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t width = base::code_points(word).size();
    if (used > 0 && used + 1 + width > kColumns) {
      lines += '\n';
      used = 0;
    }
    lines += used == 0 ? std::string(indent, ' ') : " ";
    lines += word;
    used += width + (used == 0 ? indent : 1);
  }
  return lines + "\n";
}

std::string row(std::string_view name, std::string_view latency, std::string_view rate,
                std::string_view drop, std::string_view bound, std::string_view verdict) {
  const std::string numbers =
      fmt::format("{:>10} {:>11} {:>9} {:>9}  {}\n", latency, rate, drop, bound, verdict);
  // A name that is too long has a line of its own.
  const bool fits = base::code_points(name).size() <= kNameColumns;
  return fits ? fmt::format("{:{}} {}", name, kNameColumns, numbers)
              : fmt::format("{}\n{:{}} {}", name, "", kNameColumns, numbers);
}

std::string row_of(const Outcome& outcome) {
  const bool raced = outcome.service_ms > 0;
  const bool reported = outcome.report.samples > 0;
  const bool judged = reported || outcome.selection.samples > 0;
  return row(outcome.name, raced ? milliseconds(outcome.service_ms) : "-",
             outcome.saturated_ms > 0 ? fmt::format("{:.1f}", 1e3 / outcome.saturated_ms) : "-",
             judged ? percent(reported ? outcome.report.mean : outcome.selection.mean) : "-",
             reported ? percent(outcome.report.bound) : "-", name_of(outcome.verdict));
}

// What held the default back, and what came of each remedy.
std::string text_of(const std::vector<Promise>& promises) {
  std::string text;
  for (const Promise& promise : promises) {
    const std::string came = promise.tried.empty()
                                 ? "not tried"
                                 : fmt::format("{:.0f} % ({}) by {}: {}", promise.gain * 100,
                                               shares(promise.gain_low, promise.gain_high, 0),
                                               promise.tried, name_of(promise.verdict));
    text += wrapped(fmt::format("{}, for {}: promised {} of {}; {}", promise.remedy,
                                fmt::join(promise.rules, " and "),
                                shares(promise.promised_low, promise.promised_high, 0),
                                promise.objective, came),
                    2);
  }
  return text.empty() ? "" : "\nwhat held the default back\n" + text;
}

}  // namespace

std::string to_text(const OptimizeResult& result) {
  std::string text = wrapped(
      fmt::format("{}: {} {} in f32; {} samples: {} to search, {} to select, {} for this report",
                  result.model, result.metric, percent(result.reference_score), result.samples,
                  result.search_samples, result.selection_samples, result.report_samples),
      0);
  text += wrapped(result.metric_reason, 2) + "\n";
  text += row("way to run it", "latency", "requests/s", "drop", "at most", "verdict");
  for (const Outcome& outcome : result.outcomes) {
    text += row_of(outcome);
    if (!outcome.sentence.empty()) text += wrapped(outcome.sentence, 4);
  }
  return text + text_of(result.promises) + "\n" + wrapped(result.sentence, 0);
}

}  // namespace tachostat::app

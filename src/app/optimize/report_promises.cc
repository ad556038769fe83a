// What the diagnosis said of the default, and whether it was right.
#include <fmt/format.h>

#include <cmath>

#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

std::string interval(double low, double high) {
  return fmt::format("{:.1f} to {:.1f} %", low * 100, high * 100);
}

std::string measured(const Promise& promise) {
  if (promise.tried.empty()) return R"(<span class="soft">not tried</span>)";
  const std::string between = std::isfinite(promise.gain_low)
                                  ? interval(promise.gain_low, promise.gain_high)
                                  : "no bound yet";
  return fmt::format(R"({:.1f} % <span class="soft">({})<br>{} against {}</span>)",
                     promise.gain * 100, between, escape(promise.tried), escape(promise.against));
}

std::string row(const Promise& promise) {
  std::string rules;
  for (const std::string& rule : promise.rules) rules += (rules.empty() ? "" : ", ") + escape(rule);
  return fmt::format(
      R"(<tr><td>{}<br><span class="soft">{}</span></td><td>{}<br><span class="soft">{}</span></td><td class="n">{}</td><td class="n">{}</td><td>{}</td></tr>)",
      escape(promise.remedy), escape(promise.objective), rules, escape(promise.summary),
      interval(promise.promised_low, promise.promised_high), measured(promise),
      name_of(promise.verdict));
}

}  // namespace

std::string promises_section(const OptimizeResult& result) {
  if (result.promises.empty()) return "";
  std::string html =
      "<h2>What held the default back</h2><p>The diagnosis of the engine's default, made before "
      "anything was tried, and what came of each remedy. Shares are of the default's time; a "
      "promise is <em>held</em> where the measured interval meets it.</p>"
      R"(<div class="wide"><table><thead><tr><th>remedy</th><th>findings</th>)"
      R"(<th class="n">promised</th><th class="n">measured</th><th></th></tr></thead><tbody>)";
  for (const Promise& promise : result.promises) html += row(promise);
  return html + "</tbody></table></div>";
}

}  // namespace tachostat::app

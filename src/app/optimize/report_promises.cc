// What the diagnosis said of the default, and whether it was right.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

std::string measured(const Promise& promise) {
  if (promise.tried.empty()) return R"(<span class="soft">not tried</span>)";
  return fmt::format(R"({:.1f} % <span class="soft">({})<br>{} against {}</span>)",
                     promise.gain * 100, shares(promise.gain_low, promise.gain_high, 1),
                     escape(promise.tried), escape(promise.against));
}

std::string row(const Promise& promise) {
  return fmt::format(
      R"(<tr><td>{}<br><span class="soft">{}</span></td><td>{}<br><span class="soft">{}</span></td><td class="n">{}</td><td class="n">{}</td><td>{}</td></tr>)",
      escape(promise.remedy), escape(promise.objective),
      escape(fmt::format("{}", fmt::join(promise.rules, ", "))), escape(promise.summary),
      shares(promise.promised_low, promise.promised_high, 1), measured(promise),
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

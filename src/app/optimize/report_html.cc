#include "app/optimize/report_html.h"

#include <fmt/format.h>

#include <cmath>

#include "app/optimize/report_parts.h"
#include "base/utf8.h"
#include "verify/metrics/drop.h"

namespace tachostat::app {
namespace {

const Outcome* outcome_at(const OptimizeResult& result, int index) {
  const bool there = index >= 0 && static_cast<std::size_t>(index) < result.outcomes.size();
  return there ? &result.outcomes[static_cast<std::size_t>(index)] : nullptr;
}

std::string_view objective_of(const OptimizeResult& result) { return name_of(result.objective); }

std::string tile(std::string_view what, const std::string& big, const std::string& small) {
  return fmt::format(
      R"(<div class="tile"><span class="soft">{}</span><b>{}</b><span class="soft">{}</span></div>)",
      what, big, small);
}

std::string rate(double saturated_ms) {
  return saturated_ms > 0 ? fmt::format("{:.1f}", 1e3 / saturated_ms) : "–";
}

// Of the chosen one, beside the best default.
std::string tiles(const OptimizeResult& result) {
  const Outcome* const chosen = outcome_at(result, result.chosen);
  const Outcome* const usual = outcome_at(result, result.best_default);
  if (chosen == nullptr || usual == nullptr) return "";
  const Ratio& ratio = asked_ratio(result, *chosen);
  std::string html = R"(<div class="tiles">)";
  html += tile(result.objective == Objective::kEnergy ? "answers per joule" : "speed",
               times_faster(ratio.value),
               fmt::format("{} to {} at 95 %, by {}, against {}", times_faster(ratio.high),
                           times_faster(ratio.low), objective_of(result), escape(usual->name)));
  html += tile("latency of one request", milliseconds(chosen->service_ms),
               "was " + milliseconds(usual->service_ms));
  html +=
      tile("requests per second", rate(chosen->saturated_ms), "was " + rate(usual->saturated_ms));
  html += tile("drop of " + escape(result.metric), "≤ " + percent(chosen->report.bound),
               fmt::format("at 95 %, on {} held-out samples; {} allowed", chosen->report.samples,
                           percent(result.max_drop)));
  return html + "</div>";
}

std::string fact(std::string_view name, const std::string& value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, value);
}

std::string with_hash(const std::string& name, const std::string& hash) {
  return fmt::format(R"({} <span class="soft">sha256 {}</span>)", escape(name),
                     escape(hash.substr(0, 16)));
}

std::string facts(const OptimizeResult& result) {
  std::string html = R"(<h2>What was measured</h2><div class="card"><dl>)";
  html += fact("model", with_hash(result.model, result.model_hash));
  html += fact("data", with_hash(result.data, result.data_hash));
  html += fact("samples",
               fmt::format("{}: {} to calibrate and search, {} to select, {} for this report; no "
                           "sample is in two parts",
                           result.samples, result.search_samples, result.selection_samples,
                           result.report_samples));
  html += fact("metric", fmt::format(R"({} <span class="soft">{}</span>)", escape(result.metric),
                                     escape(result.metric_reason)));
  html += fact("in f32", percent(result.reference_score) + " on the report's samples");
  html += fact("asked for", fmt::format("{}, and a drop of at most {} by its 95 % bound",
                                        objective_of(result), percent(result.max_drop)));
  if (!result.machine_name.empty()) html += fact("machine", escape(result.machine_name));
  html += fact("engine", escape(result.engine_version));
  html += fact("seed", fmt::format("{}; {} results were kept from an earlier run", result.seed,
                                   result.reused));
  return html + "</dl></div>";
}

std::string interval_of(const Ratio& ratio) {
  if (!std::isfinite(ratio.high)) return fmt::format("{:.3f}, no bound yet", ratio.value);
  return to_string(ratio);
}

// Memory, and energy where there is a meter.
std::string held_and_used(const Outcome& outcome) {
  const std::string memory = megabytes(outcome.memory_bytes);
  return outcome.joules > 0 ? fmt::format(R"({}<br><span class="soft">{:.1f} mJ</span>)", memory,
                                          outcome.joules * 1e3)
                            : memory;
}

std::string outcome_rows(const OptimizeResult& result, std::size_t index) {
  const Outcome& outcome = result.outcomes[index];
  const std::string_view verdict = name_of(outcome.verdict);
  const bool raced = outcome.service_ms > 0;
  const verify::Drop& drop = outcome.report.samples > 0 ? outcome.report : outcome.selection;
  const std::string bars =
      raced ? ratio_bar(result, outcome) + fmt::format(R"(<span class="soft">{}</span>)",
                                                       interval_of(asked_ratio(result, outcome)))
            : R"(<span class="soft">not raced</span>)";
  const std::string judged =
      drop.samples > 0 ? drop_bar(drop, result.max_drop) +
                             fmt::format(R"(<span class="soft">{}, at most {} ({} samples)</span>)",
                                         percent(drop.mean), percent(drop.bound), drop.samples)
                       : R"(<span class="soft">not judged</span>)";
  std::string html = fmt::format(
      R"(<tr class="lead"><td><span class="id {0}">{1}</span></td><td class="name"><b>{2}</b><br><span class="soft">{3}</span></td><td><span class="verdict {0}">{0}</span></td><td class="n">{4}</td><td class="n">{5}</td><td class="n">{6}</td><td>{7}</td><td>{8}</td></tr>)",
      verdict, index + 1, escape(outcome.name), escape(outcome.reason),
      raced ? milliseconds(outcome.service_ms) : "–", rate(outcome.saturated_ms),
      held_and_used(outcome), bars, judged);
  html += fmt::format(
      R"(<tr class="tail"><td></td><td colspan="7">{}<code class="soft">{}</code></td></tr>)",
      outcome.sentence.empty() ? "" : escape(outcome.sentence) + "<br>",
      escape(outcome.variant.id()));
  return html;
}

std::string tried(const OptimizeResult& result) {
  if (result.outcomes.empty()) return "";
  std::string html = "<h2>What was tried</h2>";
  const std::string plot = frontier_plot(result);
  if (!plot.empty()) {
    html += fmt::format(
        R"(<figure class="card">{}<figcaption>All that was raced, side by side in rounds of random order; bars are 95 % intervals. The dashed line joins what nothing else beats among the variants that are proved accurate.</figcaption></figure>)",
        plot);
  }
  html += fmt::format(
      R"(<div class="wide"><table><thead><tr><th></th><th>way to run it</th><th>verdict</th><th class="n">latency</th><th class="n">requests/s</th><th class="n">memory</th><th>{} against the best default</th><th>drop, and what is allowed</th></tr></thead><tbody>)",
      objective_of(result));
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) html += outcome_rows(result, i);
  html += "</tbody></table></div>";
  html +=
      R"(<p class="note">What it takes ÷ what the best default takes: below 1 is better; it counts when it )"
      "is beyond chance, for all that raced. The drop's bar goes to its 95 % bound; the "
      "upright line is "
      "what is allowed.</p>";
  return html;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string html;
  for (const char c : base::to_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"') {
      html += "&quot;";
    } else if (c == '\'') {
      html += "&#39;";
    } else if (byte < 0x20 || byte == 0x7f) {
      html += ' ';
    } else {
      html += c;
    }
  }
  return html;
}

std::string milliseconds(double ms) {
  if (!std::isfinite(ms)) return "–";
  if (ms != 0 && std::abs(ms) < 0.1) return fmt::format("{:.1f} µs", ms * 1e3);
  const int digits = std::abs(ms) < 1 ? 3 : std::abs(ms) < 10 ? 2 : std::abs(ms) < 1000 ? 1 : 0;
  return fmt::format("{:.{}f} ms", ms, digits);
}

std::string megabytes(std::uint64_t bytes) {
  return bytes > 0 ? fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6) : "–";
}

std::string percent(double share) { return fmt::format("{:.2f} %", share * 100); }

std::string shares(double low, double high, int digits) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "no bound yet";
  return fmt::format("{:.{}f} to {:.{}f} %", low * 100, digits, high * 100, digits);
}

std::string times_faster(double ratio) {
  if (!(ratio > 0)) return "∞";
  return std::isfinite(ratio) ? fmt::format("{:.2f}×", 1 / ratio) : "0×";
}

std::string_view name_of(Outcome::Verdict verdict) {
  switch (verdict) {
    case Outcome::Verdict::kBaseline:
      return "baseline";
    case Outcome::Verdict::kChosen:
      return "chosen";
    case Outcome::Verdict::kVerified:
      return "verified";
    case Outcome::Verdict::kRefused:
      return "refused";
  }
  return "refused";
}

bool stands(const Outcome& outcome) {
  return outcome.verdict == Outcome::Verdict::kVerified ||
         outcome.verdict == Outcome::Verdict::kChosen;
}

const Ratio& asked_ratio(const OptimizeResult& result, const Outcome& outcome) {
  return ratio_by(result.objective, outcome);
}

std::string to_html(const OptimizeResult& result) {
  std::string html = fmt::format(
      R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{} optimised</title><style>{}</style></head><body><main>
)",
      escape(result.model), report_style());
  html += fmt::format(R"(<h1>{}</h1><p class="answer">{}</p>)", escape(result.model),
                      escape(result.sentence));
  for (const std::string& section :
       {tiles(result), needed_section(result), facts(result), tried(result),
        promises_section(result), layers_section(result), search_section(result)}) {
    if (!section.empty()) html += section + "\n";
  }
  html +=
      "<footer>Made by <code>tachostat optimize</code>. report.json beside this page has the "
      "same numbers for programs, and variants/ what <code>tachostat serve</code> loads."
      "</footer></main></body></html>\n";
  return html;
}

}  // namespace tachostat::app

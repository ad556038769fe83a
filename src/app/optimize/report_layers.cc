// The report's sections on layers, and on the search that placed quantisers.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "app/optimize/layer_changes.h"
#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

constexpr std::size_t kShownAtOnce = 12;
constexpr std::size_t kMostRows = 500;  // of one table: a browser must still open the page

using Rows = std::vector<std::string>;

// The first rows in sight, the others behind a click.
std::string table(std::string_view head, const Rows& rows) {
  const std::size_t shown = std::min(rows.size(), kShownAtOnce);
  const std::size_t all = std::min(rows.size(), kMostRows);
  const auto part = [&](std::size_t from, std::size_t to) {
    std::string html =
        fmt::format(R"(<div class="wide"><table><thead><tr>{}</tr></thead><tbody>)", head);
    for (std::size_t i = from; i < to; ++i) html += rows[i];
    return html + "</tbody></table></div>";
  };
  std::string html = part(0, shown);
  if (all > shown) {
    html += fmt::format("<details><summary>{} more</summary>{}</details>", all - shown,
                        part(shown, all));
  }
  if (rows.size() > all) {
    html += fmt::format(R"(<p class="note">{} further rows are in report.json.</p>)",
                        rows.size() - all);
  }
  return html;
}

std::string how(const std::vector<ExecutedLayer>& layers) {
  if (layers.empty()) return R"(<span class="soft">in another kernel, or not needed</span>)";
  std::string html;
  for (const ExecutedLayer& layer : layers) {
    if (!html.empty()) html += "<br>";
    html += fmt::format("<code>{}</code> {}", escape(layer.kernel), escape(layer.precision));
    if (layers.size() > 1)
      html += fmt::format(R"( <span class="soft">{}</span>)", escape(layer.name));
  }
  return html;
}

std::string type_of(const LayerChange& change) {
  const ExecutedLayer& layer = change.before.empty() ? change.after[0] : change.before[0];
  return escape(layer.type);
}

std::string gain(double ms) {
  return fmt::format(R"(<td class="n {}">{}{}</td>)", ms >= 0 ? "good" : "bad", ms >= 0 ? "−" : "+",
                     milliseconds(std::abs(ms)));
}

std::string change_row(const LayerChange& change) {
  return fmt::format(
      R"(<tr><td class="name"><b>{}</b> <span class="soft">{}</span></td><td class="n">{}</td><td>{}</td><td class="n">{}</td><td>{}</td>{}</tr>)",
      escape(change.name), type_of(change), milliseconds(change.before_ms), how(change.before),
      milliseconds(change.after_ms), how(change.after), gain(change.gain_ms()));
}

constexpr std::string_view kChangeHead =
    R"(<th>layer</th><th class="n">before</th><th>kernel</th><th class="n">after</th><th>kernel</th><th class="n">change</th>)";

std::string gains_table(std::vector<LayerChange> changes) {
  std::stable_sort(changes.begin(), changes.end(), [](const LayerChange& a, const LayerChange& b) {
    return a.gain_ms() > b.gain_ms();
  });
  Rows rows;
  for (const LayerChange& change : changes) rows.push_back(change_row(change));
  return table(kChangeHead, rows);
}

// Layers and steps that take the most time now.
std::string remains_table(const LayerChanges& changes, double total) {
  struct Part {
    double ms = 0;
    std::string row;
  };
  std::vector<Part> parts;
  const auto add = [&](std::string_view name, std::string_view type, double ms,
                       const std::vector<ExecutedLayer>& layers) {
    parts.push_back(
        {ms,
         fmt::format(
             R"(<tr><td class="name"><b>{}</b> <span class="soft">{}</span></td><td class="n">{}</td><td class="n">{:.1f} %</td><td>{}</td></tr>)",
             escape(name), escape(type), milliseconds(ms), total > 0 ? ms / total * 100 : 0,
             how(layers))});
  };
  for (const LayerChange& change : changes.layers) {
    if (!change.after.empty()) {
      add(change.name, change.after[0].type, change.after_ms, change.after);
    }
  }
  for (const LayerStep& step : changes.steps) {
    if (step.after) add(step.layer.name, step.layer.type, step.layer.ms, {step.layer});
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.ms > b.ms; });
  Rows rows;
  for (Part& part : parts) rows.push_back(std::move(part.row));
  return table(R"(<th>layer</th><th class="n">time</th><th class="n">share</th><th>kernel</th>)",
               rows);
}

std::string_view name_of(LayerStep::Kind kind) {
  switch (kind) {
    case LayerStep::Kind::kQuantise:
      return "quantise";
    case LayerStep::Kind::kReorder:
      return "reorder";
    case LayerStep::Kind::kOther:
      return "other";
  }
  return "other";
}

std::string steps_table(const LayerChanges& changes) {
  std::vector<LayerStep> steps = changes.steps;
  std::stable_sort(steps.begin(), steps.end(),
                   [](const LayerStep& a, const LayerStep& b) { return a.layer.ms > b.layer.ms; });
  Rows rows;
  for (const LayerStep& step : steps) {
    rows.push_back(fmt::format(
        R"(<tr><td>{}</td><td class="name">{}</td><td class="n">{}</td><td>{}</td><td><code>{}</code> {}</td></tr>)",
        name_of(step.kind), escape(step.layer.name), milliseconds(step.layer.ms),
        step.after ? "after" : "before", escape(step.layer.kernel), escape(step.layer.precision)));
  }
  return table(R"(<th>kind</th><th>step</th><th class="n">time</th><th>in</th><th>kernel</th>)",
               rows);
}

// A choice is written "int8 product Convolution NAME".
struct Choice {
  std::string state, kind, type, layer;
};
Choice parsed(std::string_view text) {
  Choice choice;
  for (std::string* word : {&choice.state, &choice.kind, &choice.type}) {
    const std::size_t end = text.find(' ');
    if (end == std::string_view::npos) break;
    *word = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  choice.layer = text;
  return choice;
}

std::string choices(const std::vector<std::string>& switched) {
  if (switched.empty()) return "";
  std::map<std::string, std::pair<int, int>> counts;  // by kind: on, all
  Rows rows;
  for (const std::string& text : switched) {
    const Choice choice = parsed(text);
    const bool on = choice.state == "int8";
    auto& [kept, all] = counts[choice.kind];
    kept += on ? 1 : 0;
    ++all;
    rows.push_back(fmt::format(
        R"(<tr><td class="{}">{}</td><td>{}</td><td>{}</td><td class="name">{}</td></tr>)",
        on ? "good" : "soft", on ? "int8" : "left", escape(choice.kind), escape(choice.type),
        escape(choice.layer)));
  }
  std::string sums;
  for (const auto& [kind, count] : counts) {
    sums += fmt::format("{}{} of {} {}s", sums.empty() ? "" : ", ", count.first, count.second,
                        escape(kind));
  }
  return fmt::format(
      "<h3>Choices</h3><p>Rounded to eight bits: {}. A <em>product</em> is a convolution "
      "or "
      "matrix product on integers, a <em>join</em> an input of a sum, gate or concatenation, a "
      "<em>move</em> the input of a layer that only moves or averages values.</p>{}",
      sums, table("<th>state</th><th>kind</th><th>type</th><th>layer</th>", rows));
}

std::string list(const std::string& before, const std::vector<std::string>& notes) {
  if (notes.empty()) return "";
  std::string html = before + "<ul>";
  for (const std::string& note : notes) html += "<li>" + escape(note) + "</li>";
  return html + "</ul>";
}

std::string accuracy_notes(const OptimizeResult& result) {
  return list(
      fmt::format(
          "<h3>Kept accurate</h3><p>Ways to choose ranges, to correct and to leave "
          "sensitive products in f32, by how much {} drops on the search's own samples:</p>",
          escape(result.metric)),
      result.accuracy_notes);
}

std::string rewriting_notes(const OptimizeResult& result) {
  return list(
      "<h2>Written more cheaply</h2><p>Parts of the network that compute the same in fewer or "
      "cheaper layers, each kind raced against the network as it is:</p>",
      result.rewriting_notes);
}

std::string kernel_notes(const OptimizeResult& result) {
  return list(
      "<h2>Other kernels</h2><p>Convolutions run with other kernels than the engine chooses, "
      "wherever they suit and then only where each was faster; the fastest way is part of the "
      "recipe:</p>",
      result.kernel_notes);
}

std::string pruning_notes(const OptimizeResult& result) {
  return list(
      "<h2>Fewer channels</h2><p>Channels that say little that others do not say, left out "
      "without training, as far as answers stay accurate on the search's own samples and time "
      "is saved:</p>",
      result.pruning_notes);
}

std::string tries_table(const optimize::PlacementResult& placement) {
  Rows rows;
  for (const optimize::PlacementTry& one : placement.tries) {
    rows.push_back(fmt::format(
        R"(<tr><td class="n">{}</td><td>{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{:.3f}</td></tr>)",
        rows.size() + 1, escape(one.what), milliseconds(one.base_ns / 1e6),
        milliseconds(one.ns / 1e6), one.base_ns > 0 ? one.ns / one.base_ns : 1));
  }
  std::string html = R"(<div class="wide"><table><thead><tr><th class="n">#</th><th>try</th>)"
                     R"(<th class="n">against</th><th class="n">time</th><th class="n">ratio</th>)"
                     "</tr></thead><tbody>";
  for (const std::string& row : rows) html += row;
  return fmt::format("<details{}><summary>all {} tries</summary>{}</tbody></table></div></details>",
                     rows.size() <= kShownAtOnce ? " open" : "", rows.size(), html);
}

}  // namespace

std::string layers_section(const OptimizeResult& result) {
  if (result.before.layers.empty()) return "";
  const bool one_sided = result.after.layers.empty();
  const LayerChanges changes =
      layer_changes(result.before, one_sided ? result.before : result.after);
  std::vector<std::string_view> names;
  for (int i = 0; i < kLayerClasses; ++i) names.push_back(name_of(static_cast<LayerClass>(i)));
  const std::vector<double> after = time_by_class(changes, true);
  const double total = std::accumulate(after.begin(), after.end(), 0.0);
  std::string html = "<h2>Where the time goes</h2>";
  if (!one_sided) {
    html +=
        "<p>One request, layer by layer, all threads on it: the model as the engine runs it by "
        "itself, and with quantisers where they pay, measured in turns. A quantiser that could "
        "not be fused into the kernel before it is a step of its own.</p>";
    html += fmt::format(R"(<figure class="card">{}</figure>)",
                        stacked_bars(names, time_by_class(changes, false), after));
    html += "<h3>Layers by what was won</h3>" + gains_table(changes.layers);
  }
  html += "<h3>What remains</h3>" + remains_table(changes, total);
  if (!one_sided && !changes.steps.empty()) {
    html +=
        "<h3>What quantising costs</h3><p>Steps that are no layers of the model: rounding on "
        "its own, and changes of layout or type.</p>" +
        steps_table(changes);
  }
  return html;
}

std::string search_section(const OptimizeResult& result) {
  const optimize::PlacementResult& placement = result.placement;
  std::string html = rewriting_notes(result) + kernel_notes(result) + pruning_notes(result);
  if (placement.tries.empty() && result.switched.empty()) return html;
  html += "<h2>Where quantisers pay</h2>";
  if (!placement.tries.empty()) {
    html += fmt::format(
        "<p>A quantiser stays where the integer kernels that it enables save more than its own "
        "steps cost, measured on this machine. {} compilations were compared; the sum of layers "
        "went from {} to {}{}.</p>",
        placement.tries.size(), milliseconds(placement.f32_ns / 1e6),
        milliseconds(placement.ns / 1e6),
        placement.recipe.empty() ? ", which is no sure gain: nothing is quantised" : "");
    html += fmt::format(
        R"(<figure class="card">{}<figcaption>Time of each try ÷ time of what it was compared with, measured in turns. Below 1 is faster. A round flips several choices at once and keeps only those whose surroundings became faster, so a round above 1 can still bring some.</figcaption></figure>)",
        search_plot(placement));
    html += tries_table(placement);
  }
  return html + accuracy_notes(result) + choices(result.switched);
}

}  // namespace tachostat::app

#include "base/status.h"
#include "base/units.h"
#include "profile/columns.h"
#include "profile/compare_words.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kName = 80;
constexpr std::size_t kSentence = 400;

// Text from outside: no mark-up, link, mention or issue number may come of it. Punctuation is
// escaped, and what GitHub looks for in plain text becomes an entity.
std::string plain(std::string_view raw, std::size_t longest) {
  std::string to;
  for (const char c : shortened(raw, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool punctuation = byte < 0x80 && byte > 0x20 && std::isalnum(byte) == 0;
    if (c == '<' || c == '>' || c == '&' || c == '@' || c == '#' || c == '|' || c == ':') {
      to += fmt::format("&#{};", static_cast<int>(byte));
    } else {
      if (punctuation) to += '\\';
      to += c;
    }
  }
  return to;
}

std::string row_text(const Compared& row, bool total) {
  const Ratio& ratio = row.with_total ? row.absolute : row.relative;
  const bool slower = row.change == Change::kSlower;
  const std::string word = change_word(row);
  return fmt::format(
      "| {} | {} | {} | {} | {} | {} | {} | {} |\n", total ? "**total**" : plain(row.name, kName),
      plain(row.type, kName), base::format_nanoseconds(row.base_ns),
      base::format_nanoseconds(row.head_ns), change_text(row.absolute.value),
      change_text(row.relative.value), interval_text(row.relative),
      row.change == Change::kSame
          ? word
          : fmt::format("{} ({})", slower ? "**" + word + "**" : word,
                        plain(probability_text(slower ? ratio.p_slower : ratio.p_faster), kName)));
}

std::string one_sided(const char* title, const std::vector<OneSided>& layers) {
  constexpr std::size_t kShown = 10;
  if (layers.empty()) return "";
  std::string text = fmt::format("\n{}, counted in the total only: ", title);
  for (std::size_t i = 0; i < std::min(kShown, layers.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", plain(layers[i].name, kName),
                        base::format_nanoseconds(layers[i].ns));
  }
  if (layers.size() > kShown) text += fmt::format(" and {} more", layers.size() - kShown);
  return text + "\n";
}

}  // namespace

std::string to_markdown(const Comparison& comparison) {
  std::string text =
      fmt::format("### {} {}\n\n", plain(comparison.head.model, kName), verdict_text(comparison));
  text += fmt::format(
      "| layer | type | BASE | HEAD | change | alone | {} interval | |\n"
      "|---|---|--:|--:|--:|--:|:-:|---|\n",
      percent_text(1 - comparison.options.alpha));
  text += row_text(comparison.total, true);
  for (const Compared& layer : comparison.layers) {
    if (layer.change != Change::kSame) text += row_text(layer, false);
  }
  text += "\n" + rest_text(comparison) + ".\n";
  for (const Compared& layer : comparison.layers) {
    if (layer.since) text += "\n" + plain(layer.name, kName) + ": " + since_text(layer) + ".\n";
  }
  if (comparison.normalised) {
    text += fmt::format("\n*alone*: without what all layers have in common, {} here.\n",
                        change_text(comparison.common));
  }
  text += one_sided("Added", comparison.added) + one_sided("Removed", comparison.removed);
  if (!comparison.differences.empty() || !comparison.notes.empty()) text += "\n";
  for (const auto* const list : {&comparison.differences, &comparison.notes}) {
    for (const std::string& note : *list) text += "- " + plain(note, kSentence) + "\n";
  }
  return text + fmt::format("\nBASE: {}  \nHEAD: {}\n",
                            plain(side_text(comparison.base), kSentence),
                            plain(side_text(comparison.head), kSentence));
}

}  // namespace tachostat::profile

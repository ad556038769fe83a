#include "base/status.h"
#include "base/units.h"
#include "profile/columns.h"
#include "profile/compare_words.h"

namespace tachostat::profile {
namespace {

// Of the columns, in characters.
constexpr std::size_t kTime = 9;
constexpr std::size_t kShare = 7;
constexpr std::size_t kChange = 9;
constexpr std::size_t kInterval = 21;
constexpr std::size_t kType = 16;
constexpr std::size_t kName = 60;
constexpr std::size_t kSentence = 300;

std::string row_text(const Compared& row) {
  std::string text = right(base::format_nanoseconds(row.base_ns), kTime) +
                     right(base::format_nanoseconds(row.head_ns), kTime) +
                     right(fmt::format("{:.1f}%", row.share * 100), kShare) +
                     right(change_text(row.absolute.value), kChange) +
                     right(change_text(row.relative.value), kChange) + "  " +
                     left(interval_text(row.relative), kInterval) + "  " + left(row.type, kType) +
                     "  " + shortened(row.name, kName) + "\n";
  std::string verdict = "  " + change_word(row);
  if (row.change != Change::kSame) {
    const Ratio& ratio = row.with_total ? row.absolute : row.relative;
    verdict += fmt::format(
        " ({})", probability_text(row.change == Change::kSlower ? ratio.p_slower : ratio.p_faster));
  }
  if (const std::string since = since_text(row); !since.empty()) verdict += "; " + since;
  return text + verdict + "\n";
}

std::string one_sided(const char* title, const std::vector<OneSided>& layers) {
  constexpr std::size_t kShown = 10;
  if (layers.empty()) return "";
  std::string text = fmt::format("\n{}, counted in the total only:\n", title);
  for (std::size_t i = 0; i < std::min(kShown, layers.size()); ++i) {
    text += right(base::format_nanoseconds(layers[i].ns), kTime) +
            right(fmt::format("{:.1f}%", layers[i].share * 100), kShare) + "  " +
            left(layers[i].type, kType) + "  " + shortened(layers[i].name, kName) + "\n";
  }
  if (layers.size() > kShown) text += fmt::format("  and {} more\n", layers.size() - kShown);
  return text;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::string text = "BASE  " + shortened(side_text(comparison.base), kSentence) + "\nHEAD  " +
                     shortened(side_text(comparison.head), kSentence) + "\n\n";
  text += right("BASE", kTime) + right("HEAD", kTime) + right("share", kShare) +
          right("change", kChange) + right("alone", kChange) + "  " +
          left(percent_text(1 - comparison.options.alpha) + " interval", kInterval) + "\n";
  text += row_text(comparison.total);
  for (const Compared& layer : comparison.layers) {
    if (layer.change != Change::kSame) text += row_text(layer);
  }
  text += "\n" + rest_text(comparison) + "\n";
  if (comparison.normalised) {
    text += fmt::format(
        "\"alone\" leaves out what all layers have in common ({} here: clock, neighbours)\n",
        change_text(comparison.common));
  }
  text += one_sided("added layers", comparison.added);
  text += one_sided("removed layers", comparison.removed);
  if (!comparison.differences.empty() || !comparison.notes.empty()) text += "\n";
  for (const std::string& note : comparison.differences) {
    text += "careful: " + shortened(note, kSentence) + "\n";
  }
  for (const std::string& note : comparison.notes) {
    text += "note: " + shortened(note, kSentence) + "\n";
  }
  return text + "\n" + verdict_text(comparison) + "\n";
}

}  // namespace tachostat::profile

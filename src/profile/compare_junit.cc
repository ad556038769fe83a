#include "base/status.h"
#include "base/units.h"
#include "profile/columns.h"
#include "profile/compare_words.h"

namespace tachostat::profile {
namespace {

constexpr std::size_t kLongest = 500;  // of a text from outside, in characters

// For an attribute or text. Control characters are gone already (shortened); U+FFFE and U+FFFF are
// the other code points that XML 1.0 does not allow.
std::string xml(std::string_view raw) {
  const std::string text = shortened(raw, kLongest);
  std::string to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view three = std::string_view(text).substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      to += '?';
      i += 2;
    } else if (text[i] == '&') {
      to += "&amp;";
    } else if (text[i] == '<') {
      to += "&lt;";
    } else if (text[i] == '>') {
      to += "&gt;";
    } else if (text[i] == '"') {
      to += "&quot;";
    } else {
      to += text[i];
    }
  }
  return to;
}

std::string numbers_of(const Compared& row) {
  const Ratio& ratio = row.with_total ? row.absolute : row.relative;
  std::string text = fmt::format(
      "{}: {} instead of {} ({}); alone {} ({}), {}", change_word(row),
      base::format_nanoseconds(row.head_ns), base::format_nanoseconds(row.base_ns),
      change_text(row.absolute.value), change_text(row.relative.value), interval_text(row.relative),
      probability_text(row.change == Change::kFaster ? ratio.p_faster : ratio.p_slower));
  if (const std::string since = since_text(row); !since.empty()) text += "; " + since;
  return text;
}

std::string test_case(const std::string& suite, const Compared& row) {
  std::string text = fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.9f}\">\n",
                                 suite, xml(row.name), row.head_ns / 1e9);
  const std::string numbers = xml(numbers_of(row));
  if (row.change == Change::kSlower) {
    text +=
        fmt::format("    <failure type=\"regression\" message=\"{0}\">{0}</failure>\n", numbers);
  }
  return text + fmt::format("    <system-out>{}</system-out>\n  </testcase>\n", numbers);
}

}  // namespace

std::string to_junit(const Comparison& comparison) {
  std::size_t failures = comparison.total.change == Change::kSlower ? 1 : 0;
  for (const Compared& layer : comparison.layers) failures += layer.change == Change::kSlower;
  const std::string suite = "tachostat." + xml(comparison.head.model);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n"
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">\n",
      suite, comparison.layers.size() + 1, failures);
  text += test_case(suite, comparison.total);
  for (const Compared& layer : comparison.layers) text += test_case(suite, layer);
  text += "  <system-out>";
  for (const auto* const list : {&comparison.differences, &comparison.notes}) {
    for (const std::string& note : *list) text += xml(note) + "\n";
  }
  return text + "</system-out>\n</testsuite>\n</testsuites>\n";
}

}  // namespace tachostat::profile

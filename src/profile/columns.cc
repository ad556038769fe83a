#include "profile/columns.h"

#include <vector>

#include "base/utf8.h"

namespace tachostat::profile {
namespace {

// `text` is printable.
std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::size_t length = base::utf8_sequence_length(text);
    result.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return result;
}

struct Fitted {
  std::string text;
  std::size_t width = 0;
};

Fitted fit(std::string_view text, std::size_t width) {
  const std::string shown = base::printable(text);
  const std::vector<std::string_view> points = code_points(shown);
  Fitted result;
  const bool cut = points.size() > width;
  const std::size_t kept = cut ? (width == 0 ? 0 : width - 1) : points.size();
  for (std::size_t i = 0; i < kept; ++i) result.text += points[i];
  if (cut && width > 0) result.text += "…";
  result.width = cut ? width : kept;
  return result;
}

}  // namespace

std::string left(std::string_view text, std::size_t width) {
  Fitted fitted = fit(text, width);
  return fitted.text.append(width - fitted.width, ' ');
}

std::string right(std::string_view text, std::size_t width) {
  const Fitted fitted = fit(text, width);
  return std::string(width - fitted.width, ' ') + fitted.text;
}

std::string shortened(std::string_view text, std::size_t width) { return fit(text, width).text; }

}  // namespace tachostat::profile

#include "profile/columns.h"

#include <vector>

#include "base/utf8.h"

namespace tachostat::profile {
namespace {

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1
}

std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::size_t length = base::utf8_sequence_length(text);
    const std::string_view one = text.substr(0, length);
    result.push_back(length == 0 || is_control(one) ? "?" : one);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

struct Fitted {
  std::string text;
  std::size_t width = 0;
};

Fitted fit(std::string_view text, std::size_t width) {
  const std::vector<std::string_view> points = code_points(text);
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

std::string printable(std::string_view text) { return fit(text, std::string_view::npos).text; }

std::string shortened(std::string_view text, std::size_t width) { return fit(text, width).text; }

}  // namespace tachostat::profile

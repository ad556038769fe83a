#include "profile/columns.h"

#include <vector>

namespace tachostat::profile {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  if (lead < 0x80) length = 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and beyond U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1
}

std::vector<std::string_view> code_points(std::string_view text) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
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

std::string shortened(std::string_view text, std::size_t width) { return fit(text, width).text; }

}  // namespace tachostat::profile

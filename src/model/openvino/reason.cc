#include "model/openvino/reason.h"

#include <string_view>

namespace tachostat::model {
namespace {

constexpr std::size_t kLongest = 400;

bool is_position(std::string_view line) {
  return line.starts_with("Exception from ") ||
         (line.starts_with("Check '") && line.find(" failed at ") != line.npos);
}

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::string reason_of(const std::exception& error) {
  std::string_view left = error.what();
  std::string text;
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    const std::string_view line = trimmed(left.substr(0, end));
    left = end == left.npos ? std::string_view() : left.substr(end + 1);
    if (line.empty() || is_position(line)) continue;
    if (!text.empty()) text += ' ';
    text += line;
  }
  if (text.empty()) text = error.what();
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text.empty() ? "no reason given" : text;
}

}  // namespace tachostat::model

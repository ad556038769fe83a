// Text of a fixed width, counted in code points. What is not UTF-8 and what would steer a terminal
// is shown as "?".
#pragma once

#include <string>
#include <string_view>

namespace tachostat::profile {

// Exactly `width` wide: filled up with spaces on the right, or cut with "…" at the end.
std::string left(std::string_view text, std::size_t width);
// Filled up on the left.
std::string right(std::string_view text, std::size_t width);
// Cut when longer, not filled up.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace tachostat::profile

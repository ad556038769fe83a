// Text from files of others, which need not be UTF-8, made fit for formats that insist on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tachostat::base {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text);

// Every byte that belongs to no well-formed sequence is replaced by U+FFFD.
std::string to_utf8(std::string_view text);

// For a terminal: what is not UTF-8, and control characters, which would steer it, become "?".
std::string printable(std::string_view text);

// The text's code points; U+FFFD for every byte that belongs to no well-formed sequence.
std::vector<std::uint32_t> code_points(std::string_view text);
// One code point as UTF-8, put at the end of `text`; U+FFFD for what is none.
void append_code_point(std::string& text, std::uint32_t code);

}  // namespace tachostat::base

// Text from files of others, which need not be UTF-8, made fit for formats that insist on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tachostat::base {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text);

// Every byte that belongs to no well-formed sequence is replaced by U+FFFD.
std::string to_utf8(std::string_view text);

}  // namespace tachostat::base

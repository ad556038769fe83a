#include "trace/formats/collapsed.h"

#include <fmt/format.h>

#include <iterator>
#include <ostream>

#include "base/utf8.h"

namespace tachostat::trace {
namespace {

std::string cleaned(std::string_view frame) {
  std::string text = base::to_utf8(frame);
  for (char& c : text) {
    if (c == ';') c = ':';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace

void write_collapsed(const Stacks& stacks, std::ostream& out) {
  std::vector<std::string> frames;
  frames.reserve(stacks.frames.size());
  for (const std::string& frame : stacks.frames) frames.push_back(cleaned(frame));
  std::string line;
  for (std::uint32_t i = 0; i < stacks.stacks.size(); ++i) {
    if (stacks.stacks[i].self_ns == 0) continue;
    line.clear();
    for (const std::uint32_t frame : stacks.path(i)) {
      if (!line.empty()) line += ';';
      line += frames[frame];
    }
    fmt::format_to(std::back_inserter(line), " {}\n", stacks.stacks[i].self_ns);
    out << line;
  }
}

}  // namespace tachostat::trace

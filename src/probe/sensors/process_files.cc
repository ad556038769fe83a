#include "probe/sensors/process_files.h"

#include "probe/sensors/tree.h"

namespace tachostat::probe {

ProcessStat::ProcessStat(std::string text) : text_(std::move(text)) {
  const std::size_t bracket = text_.rfind(')');
  if (bracket != text_.npos) fields_ = words(std::string_view(text_).substr(bracket + 1));
}

std::optional<std::uint64_t> ProcessStat::field(std::size_t number) const {
  constexpr std::size_t kFirst = 3;
  const bool there = number >= kFirst && number - kFirst < fields_.size();
  return there ? parse_count(fields_[number - kFirst]) : std::nullopt;
}

std::vector<int> allowed_list(std::string_view status) {
  constexpr std::string_view kKey = "Cpus_allowed_list:";
  for (const std::string_view line : lines(status)) {
    if (line.starts_with(kKey)) return parse_cpu_list(line.substr(kKey.size()));
  }
  return {};
}

}  // namespace tachostat::probe

// What several sources read from the kernel's files about one process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tachostat::probe {

// The content of /proc/PID/stat. The second field is the program's name in brackets and may hold
// brackets and blanks; counting starts after the last one.
class ProcessStat {
 public:
  explicit ProcessStat(std::string text);
  ProcessStat(const ProcessStat&) = delete;  // the fields lie in the text
  ProcessStat& operator=(const ProcessStat&) = delete;

  // By proc(5)'s number, from 3 on; nothing when there are fewer, or it is no count.
  std::optional<std::uint64_t> field(std::size_t number) const;

 private:
  std::string text_;
  std::vector<std::string_view> fields_;  // fields_[0] is the third one, the state
};

// The processors that /proc/PID/status says it may run on; empty when it does not tell.
std::vector<int> allowed_list(std::string_view status);

}  // namespace tachostat::probe

// The files of one machine below a root directory, read as the kernel offers them: small, one
// value each, and free to vanish between two looks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::probe {

// Thread-safe: no state but the root. Paths are absolute as on the machine itself:
// "/sys/class/hwmon".
class Tree {
 public:
  explicit Tree(std::string root);

  // The whole file without the white space and zero bytes at its end; what lies beyond kMost is
  // cut. NotFound; PermissionDenied; Unavailable for everything else (a device that does not
  // answer, a directory), each with the path. Never waits for a pipe.
  static constexpr std::size_t kMost = std::size_t{1} << 20;
  absl::StatusOr<std::string> text(std::string_view path) const;
  // A file that holds one number and nothing else. Nothing when it is missing or holds more.
  std::optional<double> number(std::string_view path) const;
  std::optional<std::uint64_t> count(std::string_view path) const;
  // The text, or empty.
  std::string word(std::string_view path) const;

  bool exists(std::string_view path) const;
  // Names in a directory that begin with `prefix`, numbers in them in order of size (cpu2 before
  // cpu10). Empty when there is no such directory.
  std::vector<std::string> list(std::string_view directory, std::string_view prefix = "") const;
  // The last part of where a symbolic link leads: "0000:01:00.0". Empty when it is none.
  std::string link_end(std::string_view path) const;

 private:
  std::string path_of(std::string_view path) const;
  std::string root_;  // without a slash at its end
};

// A whole text as a number, white space around it allowed. Nothing for anything else, infinities
// and what does not fit included.
std::optional<double> parse_number(std::string_view text);
std::optional<std::uint64_t> parse_count(std::string_view text);

// The number after `key` in a file of lines "key value" or "key: value [unit]".
std::optional<double> field(std::string_view text, std::string_view key);

// Pieces between white space, and lines.
std::vector<std::string_view> words(std::string_view text);
std::vector<std::string_view> lines(std::string_view text);

// The kernel's lists of processors: "0-3,8,10-11". Empty when it is malformed. Numbers above 65535
// do not exist.
std::vector<int> parse_cpu_list(std::string_view text);

}  // namespace tachostat::probe

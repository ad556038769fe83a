#include "probe/sensors/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/status.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

absl::Status error_of(int error, std::string_view path) {
  if (error == ENOENT || error == ENOTDIR) return base::not_found("no {}", path);
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(fmt::format("{}: permission denied", path));
  }
  return base::unavailable("{}: {}", path, std::strerror(error));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "cpu2" before "cpu10".
bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const auto digits = [](std::string_view text) {
        return std::min(text.find_first_not_of("0123456789"), text.size());
      };
      std::string_view left = a.substr(0, digits(a));
      std::string_view right = b.substr(0, digits(b));
      a.remove_prefix(left.size());
      b.remove_prefix(right.size());
      while (left.size() > 1 && left.front() == '0') left.remove_prefix(1);
      while (right.size() > 1 && right.front() == '0') right.remove_prefix(1);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  text = trimmed(text);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Tree::Tree(std::string root) : root_(std::move(root)) {
  while (!root_.empty() && root_.back() == '/') root_.pop_back();
}

std::string Tree::path_of(std::string_view path) const { return root_ + std::string(path); }

absl::StatusOr<std::string> Tree::text(std::string_view path) const {
  const int file = open(path_of(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return error_of(errno, path);
  std::string text;
  char buffer[4096];
  int error = 0;
  while (text.size() < kMost) {
    const ssize_t size = ::read(file, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) error = errno;
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  close(file);
  if (error != 0) return error_of(error, path);
  // Device-tree texts end with a zero byte.
  while (!text.empty() && (text.back() == '\0' || kSpace.find(text.back()) != kSpace.npos)) {
    text.pop_back();
  }
  return text;
}

std::optional<double> Tree::number(std::string_view path) const {
  const absl::StatusOr<std::string> found = text(path);
  return found.ok() ? parse_number(*found) : std::nullopt;
}

std::optional<std::uint64_t> Tree::count(std::string_view path) const {
  const absl::StatusOr<std::string> found = text(path);
  return found.ok() ? parse_count(*found) : std::nullopt;
}

std::string Tree::word(std::string_view path) const {
  absl::StatusOr<std::string> found = text(path);
  return found.ok() ? *std::move(found) : std::string();
}

bool Tree::exists(std::string_view path) const { return access(path_of(path).c_str(), F_OK) == 0; }

std::vector<std::string> Tree::list(std::string_view directory, std::string_view prefix) const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(path_of(directory).c_str()), closedir);
  if (opened == nullptr) return names;
  while (const dirent* entry = readdir(opened.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name.starts_with(prefix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end(), natural_less);
  return names;
}

std::string Tree::link_end(std::string_view path) const {
  char buffer[4096];
  const ssize_t size = readlink(path_of(path).c_str(), buffer, sizeof buffer);
  if (size <= 0) return {};
  const std::string_view target(buffer, static_cast<std::size_t>(size));
  return std::string(target.substr(target.rfind('/') + 1));
}

std::optional<double> parse_number(std::string_view text) {
  const std::optional<double> value = parse_whole<double>(text);
  return value.has_value() && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<double> field(std::string_view text, std::string_view key) {
  for (std::string_view line : lines(text)) {
    line = trimmed(line);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    const std::size_t value = line.find_first_not_of(": \t");
    // The key must end here: "oom" is not "oom_kill".
    if (value == 0 || value == line.npos) continue;
    const std::vector<std::string_view> found = words(line.substr(value));
    return found.empty() ? std::nullopt : parse_number(found.front());
  }
  return std::nullopt;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t at = text.find_first_not_of(kSpace); at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    found.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return found;
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  constexpr std::uint64_t kMostCpus = 65536;
  std::vector<int> cpus;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view range = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t dash = range.find('-');
    const auto first = parse_count(range.substr(0, dash));
    const auto last = dash == range.npos ? first : parse_count(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMostCpus) return {};
    // Ranges that overlap again and again.
    if (cpus.size() > kMostCpus) return {};
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

}  // namespace tachostat::probe

#include "probe/sensors/cgroup_place.h"

#include <algorithm>

namespace tachostat::probe {
namespace {

struct Mount {
  std::string root;
  std::string point;
};

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == item) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// mountinfo writes white space and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// "31 23 0:28 ROOT POINT OPTIONS [tags…] - TYPE SOURCE SUPER_OPTIONS"
std::vector<Mount> mounts_with(std::string_view mountinfo, std::string_view controller) {
  std::vector<Mount> mounts;
  for (const std::string_view line : lines(mountinfo)) {
    const std::size_t dash = line.find(" - ");
    if (dash == line.npos) continue;
    const std::vector<std::string_view> left = words(line.substr(0, dash));
    const std::vector<std::string_view> right = words(line.substr(dash + 3));
    if (left.size() < 5 || right.size() < 3) continue;
    const bool fits = controller.empty() ? right[0] == "cgroup2"
                                         : right[0] == "cgroup" && has_item(right[2], controller);
    if (fits) mounts.push_back({unescaped(left[3]), unescaped(left[4])});
  }
  return mounts;
}

// "4:memory:PATH", and "0::PATH" for the unified one.
std::optional<std::string> path_in(std::string_view cgroup, std::string_view controller) {
  for (const std::string_view line : lines(cgroup)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() && line.substr(0, first) == "0"
                           : has_item(controllers, controller)) {
      return std::string(line.substr(second + 1));
    }
  }
  return std::nullopt;
}

// What of `path` lies below `root`, with a leading slash; nothing when it lies elsewhere.
std::optional<std::string> below(std::string_view path, std::string_view root) {
  if (root == "/") return std::string(path == "/" ? "" : path);
  if (path == root) return std::string();
  if (path.starts_with(root) && path[root.size()] == '/') {
    return std::string(path.substr(root.size()));
  }
  return std::nullopt;
}

std::optional<CgroupPlace> find_in(const Tree& tree, const std::string& process,
                                   std::string_view controller) {
  const std::string proc = "/proc/" + process;
  const std::string mountinfo = tree.word(proc + "/mountinfo");
  const std::vector<Mount> mounts = mounts_with(mountinfo, controller);
  const std::optional<std::string> path = path_in(tree.word(proc + "/cgroup"), controller);
  if (mounts.empty() || !path) return std::nullopt;
  // "/../x" lies outside what this namespace can see.
  const bool is_outside = path->find("/..") != path->npos;
  CgroupPlace place{controller.empty() ? 2 : 1, *path, {}};
  std::string top = mounts.back().point;
  std::string rest;
  for (const Mount& mount : mounts) {
    const std::optional<std::string> inside = below(*path, mount.root);
    if (is_outside || !inside || !tree.exists(mount.point + *inside)) continue;
    top = mount.point;
    rest = *inside;
    break;
  }
  for (;;) {
    place.folders.push_back(top + rest);
    if (rest.empty()) return place;
    rest.erase(rest.rfind('/'));
  }
}

}  // namespace

std::optional<CgroupPlace> find_cgroup(const Tree& tree, const std::string& process,
                                       std::string_view controller) {
  std::optional<CgroupPlace> place;
  if (!controller.empty()) place = find_in(tree, process, controller);
  return place ? place : find_in(tree, process, "");
}

}  // namespace tachostat::probe

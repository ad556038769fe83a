// Where a process's control group lies among the mounted hierarchies: version 1, version 2, both
// side by side, nested, and seen from inside a container.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/sensors/tree.h"

namespace tachostat::probe {

struct CgroupPlace {
  int version = 2;
  std::string path;  // as /proc/PID/cgroup says it: "/system.slice/tachostat.service"
  // Its folder, then its ancestors' up to the hierarchy's top as far as it is visible from here.
  // Limits of all of them hold.
  std::vector<std::string> folders;
};

// Of the hierarchy that has `controller` ("cpu", "memory"): a version 1 hierarchy where one has it,
// else the unified one; `controller` "" means the unified one. Nothing when there is none.
//
// The method is that of OpenJDK and systemd: the path of /proc/PID/cgroup, less the root of the
// mount in /proc/PID/mountinfo, below its mount point. Where they do not fit together (a container
// whose mounts and namespace are not one) the mount point itself is the group.
std::optional<CgroupPlace> find_cgroup(const Tree& tree, const std::string& process,
                                       std::string_view controller);

}  // namespace tachostat::probe

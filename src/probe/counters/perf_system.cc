#include "probe/counters/perf_system.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tachostat::probe {
namespace {

class SystemPerf final : public PerfSystem {
 public:
  int open(const perf_event_attr& event, int thread, int cpu, int group) override {
    const long file =
        syscall(SYS_perf_event_open, &event, thread, cpu, group, PERF_FLAG_FD_CLOEXEC);
    return file < 0 ? -errno : static_cast<int>(file);
  }
  long read(int file, void* to, std::size_t size) override {
    const ssize_t got = ::read(file, to, size);
    return got < 0 ? -errno : got;
  }
  void close(int file) override { ::close(file); }
};

}  // namespace

PerfSystem& system_perf() {
  static SystemPerf system;
  return system;
}

std::string explain_perf_error(int error, std::string_view paranoid) {
  switch (error) {
    case EACCES:
    case EPERM:
      if (paranoid.empty()) return "permission denied; the kernel has no perf_event";
      return fmt::format(
          "permission denied; /proc/sys/kernel/perf_event_paranoid is {}: set it to 1 (sysctl "
          "kernel.perf_event_paranoid=1), or give CAP_PERFMON; in a container its seccomp profile "
          "must let perf_event_open through too",
          paranoid);
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      return "this processor has no such counter, or a virtual machine hides it";
    case ENOSYS:
      return "the kernel has no perf_event";
    case EMFILE:
    case ENFILE:
      return "too many open files; raise ulimit -n";
    case EBUSY:
      return "somebody else holds the counters for themselves";
    default:
      return std::strerror(error);
  }
}

}  // namespace tachostat::probe

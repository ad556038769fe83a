#include "probe/counters/perf_system.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/status.h"

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

absl::Status explain_perf_error(int error, std::string_view event, std::string_view paranoid) {
  switch (error) {
    case EACCES:
    case EPERM:
      if (paranoid.empty()) {
        return base::unavailable("{}: permission denied; the kernel has no perf_event", event);
      }
      return base::unavailable(
          "{}: permission denied; /proc/sys/kernel/perf_event_paranoid is {}: set it to 1 "
          "(kernel.perf_event_paranoid=1 by sysctl), or give CAP_PERFMON; in a container its "
          "seccomp profile must let perf_event_open through too",
          event, paranoid);
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
      return base::unavailable(
          "{}: this processor has no such counter, or a virtual machine hides it", event);
    case ENOSYS:
      return base::unavailable("{}: the kernel has no perf_event", event);
    case EMFILE:
    case ENFILE:
      return base::unavailable("{}: too many open files; raise ulimit -n", event);
    case EBUSY:
      return base::unavailable("{}: somebody else holds the counters for themselves", event);
    default:
      return base::unavailable("{}: {}", event, std::strerror(error));
  }
}

}  // namespace tachostat::probe

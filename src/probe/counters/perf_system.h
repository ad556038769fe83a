// The kernel's performance counters behind a seam, so that tests script a machine without them,
// one that forbids them, and counters that lie.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

struct perf_event_attr;

namespace tachostat::probe {

// Thread-safe. Calls are those of perf_event_open(2); errors come back as -errno.
class PerfSystem {
 public:
  virtual ~PerfSystem() = default;
  // A file descriptor. `thread` 0 is the calling one.
  virtual int open(const perf_event_attr& event, int thread, int cpu, int group) = 0;
  // Bytes read.
  virtual long read(int file, void* to, std::size_t size) = 0;
  virtual void close(int file) = 0;
};

PerfSystem& system_perf();

// Why an event could not be opened, with what to do. `error` is an errno; `paranoid` the content of
// /proc/sys/kernel/perf_event_paranoid, empty when there is no such file.
std::string explain_perf_error(int error, std::string_view paranoid);

}  // namespace tachostat::probe

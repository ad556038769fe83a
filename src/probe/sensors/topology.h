// What the machine is made of, as far as it matters to where threads and memory go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/sensors/sensor.h"

namespace tachostat::probe {

struct Topology {
  struct Cache {
    enum class Type : std::uint8_t { kData, kInstruction, kUnified };
    int level = 0;
    Type type = Type::kUnified;
    std::uint64_t bytes = 0;                       // of one instance
    int line_bytes = 0;                            // 0: not told
    int ways = 0;                                  // 0: not told, or fully associative
    std::vector<std::vector<int>> shared_by = {};  // the processors of each instance
  };
  struct Node {
    int id = 0;
    std::vector<int> cpus = {};      // empty: memory without processors (CXL, HBM)
    std::uint64_t memory = 0;        // bytes
    std::uint64_t free_memory = 0;   // bytes, when it was read
    std::vector<int> distance = {};  // to each node in order, 10 is itself; empty: not told
  };
  // Processors of one kind on a machine that mixes them.
  struct CoreKind {
    std::string name = {};  // "performance", "efficient", or "capacity 446" of 1024 on ARM
    std::vector<int> cpus = {};
  };

  std::string processor = {};  // "AMD EPYC 7763 64-Core Processor"
  std::string board = {};      // of device-tree machines: "Raspberry Pi 5 Model B Rev 1.0"
  std::vector<int> online = {};
  int packages = 0;
  int cores = 0;                     // with all packages
  bool smt = false;                  // whether some core runs more than one thread now
  std::vector<CoreKind> kinds = {};  // empty: all alike
  std::vector<Cache> caches = {};    // by level, data before instructions
  std::vector<Node> nodes = {};
  // Where this process may run: its affinity within its cpuset. Empty: not told.
  std::vector<int> allowed = {};
  std::vector<int> isolated = {};  // kept free of others by isolcpus=
  std::vector<int> tickless = {};  // nohz_full=

  int threads() const { return static_cast<int>(online.size()); }
};

// Whatever is not told stays empty or 0; on a machine without /sys, everything does. Thread-safe.
Topology read_topology(const SensorOptions& options);

// An object as `tachostat machine --json` shows it (docs/design/sensors.md).
std::string to_json(const Topology& topology);

// "0-3,8" as the kernel writes lists of processors.
std::string cpu_list(const std::vector<int>& cpus);

}  // namespace tachostat::probe

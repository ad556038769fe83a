// Where the memory of each node went (Documentation/admin-guide/numastat.rst of the kernel).
#include "base/status.h"
#include "probe/sensors/file_sensor.h"
#include "probe/sensors/sources.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kRoot = "/sys/devices/system/node";

class Numa final : public FileSensor {
 public:
  explicit Numa(const SensorOptions& options) : FileSensor("numa", options) {}

 private:
  void scan(Scan& out) const override {
    for (const std::string& node : tree().list(kRoot, "node")) {
      const std::string path = fmt::format("{}/{}", kRoot, node);
      const std::string statistics = tree().word(path + "/numastat");
      const auto add = [&](std::string_view name, std::string_view key) {
        const auto pages = field(statistics, key);
        if (pages && *pages >= 0) {
          out.counter(fmt::format("{}/{}", node, name), "1", static_cast<std::uint64_t>(*pages));
        }
      };
      // Pages given on this node to a process that ran there, and to one that ran elsewhere.
      add("local_pages", "local_node");
      add("remote_pages", "other_node");
      // Wanted elsewhere, given here because that node was full.
      add("missed_pages", "numa_miss");
      const std::string memory = tree().word(path + "/meminfo");
      // "Node 0 MemFree: 3042496 kB"
      const auto level = [&](std::string_view name, std::string_view key) {
        const auto kibibytes = field(memory, fmt::format("Node {} {}", node.substr(4), key));
        if (kibibytes) out.level(fmt::format("{}/{}", node, name), "By", *kibibytes * 1024);
      };
      level("free", "MemFree");
      level("total", "MemTotal");
    }
  }

  absl::Status why_nothing() const override {
    return base::unavailable("no nodes in {}: the kernel is built without CONFIG_NUMA", kRoot);
  }
};

}  // namespace

std::unique_ptr<Sensor> make_numa(const SensorOptions& options) {
  return std::make_unique<Numa>(options);
}

}  // namespace tachostat::probe

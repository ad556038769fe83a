// Sources: Documentation/admin-guide/cputopology.rst and ABI/stable/sysfs-devices-node of the
// kernel.
#include "probe/sensors/topology.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/status.h"
#include "probe/sensors/cgroup_place.h"
#include "probe/sensors/checks.h"
#include "probe/sensors/process_files.h"
#include "probe/sensors/tree.h"

namespace tachostat::probe {
namespace {

constexpr std::string_view kCpus = "/sys/devices/system/cpu";
constexpr std::string_view kNodes = "/sys/devices/system/node";

std::string cpu_path(int cpu) { return fmt::format("{}/cpu{}", kCpus, cpu); }

// "32K", "16M"; 0 when it is something else.
std::uint64_t parse_cache_size(std::string_view text) {
  std::uint64_t unit = 1;
  if (text.ends_with('K')) unit = std::uint64_t{1} << 10;
  if (text.ends_with('M')) unit = std::uint64_t{1} << 20;
  if (unit > 1) text.remove_suffix(1);
  const auto value = parse_count(text);
  return value && *value < (std::uint64_t{1} << 40) ? *value * unit : 0;
}

void read_cores(const Tree& tree, Topology& topology) {
  std::set<std::uint64_t> packages;
  // A core's number is unique in its die only.
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, int> cores;
  for (const int cpu : topology.online) {
    const std::string path = cpu_path(cpu) + "/topology/";
    const auto core = tree.count(path + "core_id");
    if (!core) continue;
    // ARM boards say -1, which is no count: one package.
    const std::uint64_t package = tree.count(path + "physical_package_id").value_or(0);
    packages.insert(package);
    ++cores[{package, tree.count(path + "die_id").value_or(0), *core}];
  }
  topology.packages = static_cast<int>(packages.size());
  topology.cores = static_cast<int>(cores.size());
  topology.smt =
      std::any_of(cores.begin(), cores.end(), [](const auto& c) { return c.second > 1; });
}

// Intel names its two kinds as counters' devices; ARM gives each processor a capacity.
void read_kinds(const Tree& tree, Topology& topology) {
  const std::vector<int> fast = parse_cpu_list(tree.word("/sys/devices/cpu_core/cpus"));
  const std::vector<int> small = parse_cpu_list(tree.word("/sys/devices/cpu_atom/cpus"));
  if (!fast.empty() && !small.empty()) {
    topology.kinds = {{"performance", fast}, {"efficient", small}};
    return;
  }
  std::map<std::uint64_t, std::vector<int>, std::greater<>> by_capacity;
  for (const int cpu : topology.online) {
    if (const auto capacity = tree.count(cpu_path(cpu) + "/cpu_capacity")) {
      by_capacity[*capacity].push_back(cpu);
    }
  }
  if (by_capacity.size() < 2) return;
  for (auto& [capacity, cpus] : by_capacity) {
    topology.kinds.push_back({fmt::format("capacity {}", capacity), std::move(cpus)});
  }
}

void read_caches(const Tree& tree, Topology& topology) {
  using Type = Topology::Cache::Type;
  std::map<std::pair<int, Type>, Topology::Cache> caches;
  for (const int cpu : topology.online) {
    const std::string folder = cpu_path(cpu) + "/cache";
    for (const std::string& index : tree.list(folder, "index")) {
      const std::string path = fmt::format("{}/{}/", folder, index);
      const auto level = tree.count(path + "level");
      if (!level || *level > 9) continue;
      const std::string word = tree.word(path + "type");
      const Type type = word == "Data"          ? Type::kData
                        : word == "Instruction" ? Type::kInstruction
                                                : Type::kUnified;
      std::vector<int> shared = parse_cpu_list(tree.word(path + "shared_cpu_list"));
      if (shared.empty()) shared = {cpu};
      Topology::Cache& cache = caches[{static_cast<int>(*level), type}];
      cache.level = static_cast<int>(*level);
      cache.type = type;
      // Big and small cores differ; the greatest is told.
      cache.bytes = std::max(cache.bytes, parse_cache_size(tree.word(path + "size")));
      cache.line_bytes = static_cast<int>(
          std::min<std::uint64_t>(tree.count(path + "coherency_line_size").value_or(0), 4096));
      cache.ways = static_cast<int>(
          std::min<std::uint64_t>(tree.count(path + "ways_of_associativity").value_or(0), 4096));
      if (std::find(cache.shared_by.begin(), cache.shared_by.end(), shared) ==
          cache.shared_by.end()) {
        cache.shared_by.push_back(std::move(shared));
      }
    }
  }
  for (auto& [key, cache] : caches) topology.caches.push_back(std::move(cache));
}

void read_nodes(const Tree& tree, Topology& topology) {
  for (const std::string& name : tree.list(kNodes, "node")) {
    const auto id = parse_count(std::string_view(name).substr(4));
    if (!id || *id > 65535) continue;
    const std::string path = fmt::format("{}/{}/", kNodes, name);
    const std::string memory = tree.word(path + "meminfo");
    const auto bytes = [&](std::string_view what) {
      const double kibibytes = field(memory, fmt::format("Node {} {}", *id, what)).value_or(0);
      return plausible("By", kibibytes * 1024) ? static_cast<std::uint64_t>(kibibytes) * 1024 : 0;
    };
    Topology::Node node{.id = static_cast<int>(*id),
                        .cpus = parse_cpu_list(tree.word(path + "cpulist")),
                        .memory = bytes("MemTotal"),
                        .free_memory = bytes("MemFree")};
    const std::string distances = tree.word(path + "distance");
    for (const std::string_view word : words(distances)) {
      node.distance.push_back(
          static_cast<int>(std::min<std::uint64_t>(parse_count(word).value_or(0), 255)));
    }
    topology.nodes.push_back(std::move(node));
  }
}

std::string processor_name(const Tree& tree) {
  const std::string text = tree.word("/proc/cpuinfo");
  for (const std::string_view line : lines(text)) {
    // x86 and PowerPC; ARM kernels give no name, only numbers.
    if (!line.starts_with("model name") && !line.starts_with("cpu\t")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != line.npos) return std::string(line.substr(colon + 2));
  }
  return {};
}

// The affinity that the kernel reports lies within the cpuset already, but a cpuset may be emptied
// of processors that went offline.
std::vector<int> allowed_cpus(const Tree& tree, const std::string& process) {
  const std::vector<int> affinity = allowed_list(tree.word("/proc/" + process + "/status"));
  const auto place = find_cgroup(tree, process, "cpuset");
  if (!place) return affinity;
  const std::string file =
      place->version == 1 ? "/cpuset.effective_cpus" : "/cpuset.cpus.effective";
  const std::vector<int> set = parse_cpu_list(tree.word(place->folders.front() + file));
  if (set.empty()) return affinity;
  if (affinity.empty()) return set;
  std::vector<int> both;
  std::set_intersection(affinity.begin(), affinity.end(), set.begin(), set.end(),
                        std::back_inserter(both));
  return both;
}

}  // namespace

Topology read_topology(const SensorOptions& options) {
  const Tree tree(options.root);
  Topology topology;
  topology.processor = processor_name(tree);
  topology.board = tree.word("/proc/device-tree/model");
  topology.online = parse_cpu_list(tree.word(fmt::format("{}/online", kCpus)));
  read_cores(tree, topology);
  read_kinds(tree, topology);
  read_caches(tree, topology);
  read_nodes(tree, topology);
  topology.allowed = allowed_cpus(tree, options.process);
  topology.isolated = parse_cpu_list(tree.word(fmt::format("{}/isolated", kCpus)));
  topology.tickless = parse_cpu_list(tree.word(fmt::format("{}/nohz_full", kCpus)));
  return topology;
}

std::string cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (end > i + 1) text += '-' + std::to_string(cpus[end - 1]);
    i = end;
  }
  return text;
}

std::string to_json(const Topology& topology) {
  using nlohmann::json;
  json caches = json::array();
  for (const Topology::Cache& cache : topology.caches) {
    constexpr const char* kTypes[] = {"data", "instruction", "unified"};
    caches.push_back({{"level", cache.level},
                      {"type", kTypes[static_cast<int>(cache.type)]},
                      {"bytes", cache.bytes},
                      {"line_bytes", cache.line_bytes},
                      {"ways", cache.ways},
                      {"instances", cache.shared_by.size()},
                      {"shared_by", json::array()}});
    for (const std::vector<int>& cpus : cache.shared_by) {
      caches.back()["shared_by"].push_back(cpu_list(cpus));
    }
  }
  json nodes = json::array();
  for (const Topology::Node& node : topology.nodes) {
    nodes.push_back({{"id", node.id},
                     {"cpus", cpu_list(node.cpus)},
                     {"memory", node.memory},
                     {"free_memory", node.free_memory},
                     {"distance", node.distance}});
  }
  json kinds = json::array();
  for (const Topology::CoreKind& kind : topology.kinds) {
    kinds.push_back({{"name", kind.name}, {"cpus", cpu_list(kind.cpus)}});
  }
  const json document = {{"processor", topology.processor},
                         {"board", topology.board},
                         {"packages", topology.packages},
                         {"cores", topology.cores},
                         {"threads", topology.threads()},
                         {"smt", topology.smt},
                         {"online", cpu_list(topology.online)},
                         {"allowed", cpu_list(topology.allowed)},
                         {"isolated", cpu_list(topology.isolated)},
                         {"tickless", cpu_list(topology.tickless)},
                         {"kinds", std::move(kinds)},
                         {"caches", std::move(caches)},
                         {"nodes", std::move(nodes)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace tachostat::probe

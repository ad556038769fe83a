#include "profile/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/status.h"
#include "profile/members.h"

namespace tachostat::profile {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMemoryStep = std::uint64_t{256} << 20;
constexpr int kMostProcessors = 1 << 16;

// The first line, without the spaces around it; empty when it cannot be read.
std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
}

// "0-3,8" as numbers; what does not parse is left out.
std::vector<int> list_of(const std::string& text) {
  std::vector<int> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    int first = 0;
    std::from_chars_result parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc() || first < 0) break;
    int last = first;
    if (parsed.ptr < end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
      if (parsed.ec != std::errc()) break;
    }
    for (int i = first; i <= last && i < kMostProcessors; ++i) numbers.push_back(i);
    at = parsed.ptr < end ? parsed.ptr + 1 : end;
  }
  return numbers;
}

// "512K", "32M".
std::uint64_t size_of(const std::string& text) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  const char unit = rest < text.data() + text.size() ? *rest : ' ';
  return value << (unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0);
}

// The first processor's lines of /proc/cpuinfo.
std::map<std::string, std::string> cpuinfo_of(const std::string& root) {
  std::ifstream file(root + "proc/cpuinfo");
  std::map<std::string, std::string> members;
  std::string line;
  while (std::getline(file, line) && !line.empty()) {
    const std::size_t colon = line.find(':');
    const std::size_t name = line.find_last_not_of(" \t", colon - 1);
    if (colon == std::string::npos || name == std::string::npos) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    members[line.substr(0, name + 1)] = value == std::string::npos ? "" : line.substr(value);
  }
  return members;
}

std::uint64_t memory_of(const std::string& root) {
  std::ifstream file(root + "proc/meminfo");
  std::string name;
  std::uint64_t kilobytes = 0;
  if (!(file >> name >> kilobytes) || name != "MemTotal:") return 0;
  return (kilobytes * 1024 + kMemoryStep / 2) / kMemoryStep * kMemoryStep;
}

std::string cpu_path(const std::string& root, int cpu) {
  return fmt::format("{}sys/devices/system/cpu/cpu{}/", root, cpu);
}

std::vector<Cache> caches_of(const std::string& root, const std::vector<int>& allowed) {
  std::vector<Cache> caches;
  for (int index = 0; index < 16; ++index) {
    const std::string path = fmt::format("{}cache/index{}/", cpu_path(root, allowed[0]), index);
    Cache cache{.type = line_of(path + "type"), .bytes = size_of(line_of(path + "size"))};
    if (cache.type.empty()) break;
    const std::string level = line_of(path + "level");
    std::from_chars(level.data(), level.data() + level.size(), cache.level);
    const std::vector<int> shared = list_of(line_of(path + "shared_cpu_list"));
    cache.sharing = static_cast<int>(std::count_if(shared.begin(), shared.end(), [&](int cpu) {
      return std::find(allowed.begin(), allowed.end(), cpu) != allowed.end();
    }));
    cache.sharing = std::max(1, cache.sharing);
    if (cache.type != "Instruction" && cache.bytes > 0) caches.push_back(cache);
  }
  return caches;
}

Json json_of(const Fingerprint& fingerprint) {
  Json caches = Json::array();
  for (const Cache& cache : fingerprint.caches) {
    caches.push_back({{"level", cache.level},
                      {"type", cache.type},
                      {"bytes", cache.bytes},
                      {"sharing", cache.sharing}});
  }
  return {{"processor", fingerprint.processor}, {"microcode", fingerprint.microcode},
          {"cpus", fingerprint.cpus},           {"cores", fingerprint.cores},
          {"caches", std::move(caches)},        {"memory_bytes", fingerprint.memory_bytes},
          {"governor", fingerprint.governor},   {"quota", fingerprint.quota}};
}

absl::Status read_cpus(const nlohmann::json& list, std::vector<int>& cpus) {
  for (const nlohmann::json& cpu : list) {
    if (!cpu.is_number_unsigned() || cpu.get<std::uint64_t>() >= kMostProcessors) {
      return base::invalid_argument("member 'cpus': expected processors' numbers");
    }
    cpus.push_back(cpu.get<int>());
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> allowed;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) allowed.push_back(cpu);
    }
  }
  if (allowed.empty()) allowed.push_back(0);
  return allowed;
}

Fingerprint fingerprint_of(const std::string& root_path, const std::vector<int>& allowed) {
  const std::string root = root_path.ends_with('/') ? root_path : root_path + "/";
  Fingerprint print;
  const std::map<std::string, std::string> info = cpuinfo_of(root);
  const auto member = [&info](const char* name) {
    const auto found = info.find(name);
    return found == info.end() ? std::string() : found->second;
  };
  print.processor = member("model name");
  if (print.processor.empty() && !member("CPU part").empty()) {
    print.processor =
        fmt::format("Arm implementer {} part {}", member("CPU implementer"), member("CPU part"));
  }
  print.microcode = member("microcode");
  std::set<std::string> cores;
  std::vector<int> second;
  for (const int cpu : allowed) {
    std::string siblings = line_of(cpu_path(root, cpu) + "topology/thread_siblings_list");
    if (siblings.empty()) siblings = fmt::format("{}", cpu);
    (cores.insert(siblings).second ? print.cpus : second).push_back(cpu);
  }
  print.cores = static_cast<int>(cores.size());
  print.cpus.insert(print.cpus.end(), second.begin(), second.end());
  if (!allowed.empty()) {
    print.caches = caches_of(root, allowed);
    print.governor = line_of(cpu_path(root, allowed[0]) + "cpufreq/scaling_governor");
  }
  print.memory_bytes = memory_of(root);
  print.quota = line_of(root + "sys/fs/cgroup/cpu.max");
  if (print.quota.starts_with("max")) print.quota.clear();
  return print;
}

std::string Fingerprint::hash() const { return base::sha256(std::string_view(to_json(*this))); }

std::string difference(const Fingerprint& now, const Fingerprint& then) {
  const Json a = json_of(now);
  const Json b = json_of(then);
  for (const auto& [name, value] : a.items()) {
    if (value != b[name]) {
      return fmt::format("{} is {}, it was {}", name, value.dump(), b[name].dump());
    }
  }
  return "";
}

std::string to_json(const Fingerprint& fingerprint) { return json_of(fingerprint).dump(); }

absl::StatusOr<Fingerprint> fingerprint_from_json(std::string_view text) {
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return base::invalid_argument("fingerprint: expected an object");
  const Members members(document, "");
  Fingerprint print;
  TS_RETURN_IF_ERROR(members.read("processor", print.processor));
  TS_RETURN_IF_ERROR(members.read("microcode", print.microcode));
  TS_ASSIGN_OR_RETURN(const nlohmann::json* cpus, members.array("cpus", kMostProcessors));
  TS_RETURN_IF_ERROR(read_cpus(*cpus, print.cpus));
  TS_RETURN_IF_ERROR(members.read("cores", 0, kMostProcessors, print.cores));
  TS_ASSIGN_OR_RETURN(const nlohmann::json* caches, members.array("caches", 64));
  for (const nlohmann::json& one : *caches) {
    if (!one.is_object()) return base::invalid_argument("member 'caches': expected objects");
    const Members cache(one, "caches");
    Cache& to = print.caches.emplace_back();
    TS_RETURN_IF_ERROR(cache.read("level", 0, 16, to.level));
    TS_RETURN_IF_ERROR(cache.read("type", to.type));
    TS_RETURN_IF_ERROR(cache.read("bytes", to.bytes));
    TS_RETURN_IF_ERROR(cache.read("sharing", 1, kMostProcessors, to.sharing));
  }
  TS_RETURN_IF_ERROR(members.read("memory_bytes", print.memory_bytes));
  TS_RETURN_IF_ERROR(members.read("governor", print.governor));
  TS_RETURN_IF_ERROR(members.read("quota", print.quota));
  return print;
}

}  // namespace tachostat::profile

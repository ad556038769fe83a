// What makes one calibration valid for one machine: everything that its figures depend on, as the
// system's files tell it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::profile {

struct Cache {
  int level = 0;
  std::string type{};  // "Data", "Unified"
  std::uint64_t bytes = 0;
  int sharing = 1;  // allowed processors that share one
};

// Unknown text is empty, unknown numbers are 0.
struct Fingerprint {
  std::string processor{};  // model name, or Arm's implementer and part
  std::string microcode{};
  std::vector<int> cpus{};  // that this process may use: one of each core first, then the others
  int cores = 0;            // physical ones among them
  std::vector<Cache> caches{};     // of the first allowed processor, without the instruction caches
  std::uint64_t memory_bytes = 0;  // to 256 MiB: what the kernel keeps varies a little per start
  std::string governor{};          // of the clock frequency
  std::string quota{};             // cgroup v2's cpu.max, when there is a limit

  // SHA-256 over all of it.
  std::string hash() const;
};

// Reads /proc and /sys below `root`. `allowed` are the processors that this process may run on.
Fingerprint fingerprint_of(const std::string& root, const std::vector<int>& allowed);
std::vector<int> allowed_processors();  // of the caller; never empty

// "the governor is 'powersave', it was 'performance'"; empty when they are the same.
std::string difference(const Fingerprint& now, const Fingerprint& then);

std::string to_json(const Fingerprint& fingerprint);
absl::StatusOr<Fingerprint> fingerprint_from_json(std::string_view json);

}  // namespace tachostat::profile

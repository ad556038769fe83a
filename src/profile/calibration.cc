#include "profile/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace tachostat::profile {

const Figure* Calibration::find(std::string_view group, std::string_view what, std::string_view how,
                                int threads) const {
  const Figure* best = nullptr;
  for (const Figure& figure : figures) {
    if (figure.group != group || figure.what != what || figure.threads != threads) continue;
    if (!how.empty() && figure.how != how) continue;
    if (best == nullptr || figure.median > best->median) best = &figure;
  }
  return best;
}

int Calibration::nearest_threads(int threads) const {
  int below = 0;
  int above = 0;
  for (const Figure& figure : figures) {
    if (figure.threads <= threads) {
      below = std::max(below, figure.threads);
    } else if (above == 0 || figure.threads < above) {
      above = figure.threads;
    }
  }
  return below > 0 ? below : std::max(1, above);
}

Roofline roofline_of(const Calibration& calibration, int threads) {
  const int measured = calibration.nearest_threads(threads);
  const auto median = [&](const char* group, std::string_view what, const char* how, int count) {
    const Figure* figure = calibration.find(group, what, how, count);
    return figure == nullptr ? -1.0 : figure->median;
  };
  Roofline roofline{.threads = std::max(1, threads)};
  roofline.peak_f32_flops = median("compute", "f32", "", measured);
  roofline.single_f32_flops = median("compute", "f32", "", 1);
  roofline.peak_bf16_flops = median("compute", "bf16", "", measured);
  roofline.peak_f16_flops = median("compute", "f16", "", measured);
  roofline.peak_int8_ops = median("compute", "int8", "", measured);
  roofline.memory_bandwidth = median("bandwidth", "DRAM", "triad", measured);
  for (const char* level : {"L4", "L3", "L2"}) {
    if (roofline.cache_bandwidth < 0) {
      roofline.cache_bandwidth = median("bandwidth", level, "triad", measured);
    }
  }
  roofline.l2_bandwidth = median("bandwidth", "L2", "triad", measured);
  const auto nanoseconds = [&](const char* what) {
    const double seconds = median("latency", what, "median", measured);
    return seconds < 0 ? -1 : seconds * 1e9;
  };
  roofline.dispatch_ns = nanoseconds("dispatch");
  roofline.wake_ns = nanoseconds("wake");
  return roofline;
}

void add_machine(const Fingerprint& fingerprint, const std::vector<InstructionSet>& sets,
                 Roofline& roofline) {
  int last_level = 0;
  for (const Cache& cache : fingerprint.caches) {
    const auto bytes = static_cast<double>(cache.bytes);
    if (cache.level == 2) roofline.l2_bytes = bytes;
    if (cache.level < last_level || cache.level < 2) continue;
    last_level = cache.level;
    // Several may exist; each serves `sharing` processors.
    const double copies = std::max(
        1.0, std::ceil(static_cast<double>(fingerprint.cpus.size()) / std::max(1, cache.sharing)));
    roofline.last_level_bytes = bytes * copies;
  }
  if (fingerprint.cores > 0) roofline.cores = fingerprint.cores;
  if (!fingerprint.cpus.empty()) roofline.processors = static_cast<int>(fingerprint.cpus.size());
  roofline.instruction_sets.clear();
  for (const InstructionSet& set : sets) {
    if (set.present) roofline.instruction_sets.emplace_back(set.name);
  }
}

std::string calibration_path() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/tachostat/calibration.json";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return "";
  return std::string(home) + "/.cache/tachostat/calibration.json";
}

}  // namespace tachostat::profile

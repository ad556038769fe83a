#include "app/roofline.h"

#include "base/log.h"
#include "base/status.h"

namespace tachostat::app {
namespace {

// Measured figures only.
profile::Roofline figures(const profile::Fingerprint& machine, int threads, int milliseconds,
                          const std::string& path) {
  const auto calibration = profile::load_calibration(path, machine);
  if (calibration.ok()) {
    const profile::Roofline calibrated = profile::roofline_of(*calibration, threads);
    if (calibrated.peak_f32_flops > 0 && calibrated.memory_bandwidth > 0) return calibrated;
  } else if (calibration.status().code() != absl::StatusCode::kNotFound) {
    spdlog::warn("the roofline is measured quickly: {}", calibration.status().message());
  }
  return profile::measure_roofline(threads, milliseconds);
}

}  // namespace

profile::Fingerprint this_machine() {
  return profile::fingerprint_of("/", profile::allowed_processors());
}

profile::Roofline roofline(int threads, int milliseconds, const std::string& path) {
  const profile::Fingerprint machine = this_machine();
  profile::Roofline roofline = figures(machine, threads, milliseconds, path);
  profile::add_machine(machine, profile::instruction_sets(profile::this_processor()), roofline);
  return roofline;
}

}  // namespace tachostat::app
